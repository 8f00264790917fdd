//! What `INFO keysizes` counts is what a walk over all keys finds, whatever happened to them.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::keyspace::Sizes;
use engine::{Engine, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

struct Server {
    engine: Engine,
    client: SessionId,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(Settings::default(), 7, now, &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), now);
        Server {
            engine,
            client,
            now,
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.client, argv.as_argv(), self.now, &mut reply);
        String::from_utf8_lossy(&reply.into_bytes()).into_owned()
    }

    fn sleep(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.unix_us += ms as i64 * 1000;
        self.engine.timer(self.now);
    }

    fn ensure_counted(&self) -> Result<(), TestCaseError> {
        let keyspace = self.engine.keyspace();
        for database in 0..keyspace.database_count() {
            let walked = Sizes::of(keyspace.records(database).map(|record| record.value()));
            prop_assert_eq!(keyspace.sizes(database), &walked);
        }
        Ok(())
    }
}

/// Requests that make, change, move, and remove keys of every type.
fn request() -> impl Strategy<Value = String> {
    let key = || prop::sample::select(vec!["a", "b", "c", "d"]);
    let len = || prop::sample::select(vec![0usize, 1, 2, 3, 7, 8, 30, 100, 5000]);
    let field = || 0..40u32;
    prop_oneof![
        (key(), len()).prop_map(|(key, len)| format!("SET {key} {}", "x".repeat(len))),
        (key(), any::<i32>()).prop_map(|(key, number)| format!("SET {key} {number} KEEPTTL")),
        (key(), any::<i16>()).prop_map(|(key, by)| format!("INCRBY {key} {by}")),
        (key(), len()).prop_map(|(key, len)| format!("APPEND {key} {}", "y".repeat(len))),
        (key(), len()).prop_map(|(key, at)| format!("SETRANGE {key} {at} zz")),
        (key(), len()).prop_map(|(key, at)| format!("SETBIT {key} {at} 1")),
        (key(), key()).prop_map(|(to, from)| format!("BITOP NOT {to} {from}")),
        (key(), field()).prop_map(|(key, field)| format!("HSET {key} {field} v w{field} v")),
        (key(), field()).prop_map(|(key, field)| format!("HDEL {key} {field} w{field}")),
        (key(), field()).prop_map(|(key, element)| format!("RPUSH {key} {element} {element}")),
        (key(), field()).prop_map(|(key, count)| format!("LPOP {key} {count}")),
        (key(), key()).prop_map(|(from, to)| format!("LMOVE {from} {to} LEFT RIGHT")),
        (key(), key()).prop_map(|(from, to)| format!("LMOVEM {from} {to} LEFT LEFT COUNT 2 OBO")),
        (key(), field()).prop_map(|(key, start)| format!("LTRIM {key} {start} -2")),
        (key(), field()).prop_map(|(key, member)| format!("SADD {key} {member} m{member}")),
        (key(), field()).prop_map(|(key, member)| format!("SREM {key} {member} m{member}")),
        (key(), key()).prop_map(|(from, to)| format!("SMOVE {from} {to} 1")),
        (key(), key()).prop_map(|(from, to)| format!("SORT {from} ALPHA STORE {to}")),
        (key(), key()).prop_map(|(to, from)| format!("SUNIONSTORE {to} {to} {from}")),
        key().prop_map(|key| format!("SPOP {key} 2")),
        key().prop_map(|key| format!("XADD {key} * f v")),
        key().prop_map(|key| format!("DEL {key}")),
        key().prop_map(|key| format!("GETDEL {key}")),
        key().prop_map(|key| format!("PEXPIRE {key} 5")),
        (key(), key()).prop_map(|(from, to)| format!("RENAME {from} {to}")),
        (key(), key()).prop_map(|(from, to)| format!("COPY {from} {to} REPLACE")),
        key().prop_map(|key| format!("MOVE {key} 1")),
        Just("SWAPDB 0 1".to_owned()),
        Just("SELECT 1".to_owned()),
        Just("SELECT 0".to_owned()),
        Just("FLUSHDB".to_owned()),
        Just("SLEEP".to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_sizes_of_keys_are_counted_as_they_change(
        requests in prop::collection::vec(request(), 1..120),
    ) {
        let mut server = Server::new();
        for request in requests {
            match request.as_str() {
                "SLEEP" => server.sleep(10),
                request => drop(server.ask(request)),
            }
            server.ensure_counted()?;
        }
    }
}
