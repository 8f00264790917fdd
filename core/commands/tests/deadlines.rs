//! What is due for a key goes with the key, whatever becomes of it; and no deadline is too far
//! away.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Expired, Mono, Now, UnixMs};
use resp::{ArgvBuf, Protocol, Reply};
use values::{Key, StringValue, Value};

const START_MS: u64 = 1_790_000_000_000;

fn now(ms: u64) -> Now {
    Now {
        unix_us: (START_MS + ms) as i64 * 1000,
        mono: Mono(ms),
    }
}

struct Node {
    engine: Engine,
    session: SessionId,
    ms: u64,
}

impl Node {
    fn new() -> Node {
        let mut engine = Engine::new(Settings::default(), 7, now(0), &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), now(0));
        Node {
            engine,
            session,
            ms: 0,
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let at = now(self.ms);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), at, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    fn load(&mut self, key: &str, expires_at: i64) {
        let value = Value::from(StringValue::from_bytes(b"v"));
        let (key, at) = (Key::from(key.as_bytes()), Some(UnixMs(expires_at)));
        self.engine
            .load(0, key, value, at, Expired::Kept, now(self.ms));
    }

    /// Lets so much time pass that all idempotent IDs are forgotten.
    fn forget(&mut self) {
        self.ms += 200_000;
        // Each call does a bounded piece.
        for _ in 0..5 {
            self.engine.timer(now(self.ms));
        }
    }
}

#[test]
fn streams_that_come_and_go_leave_nothing_to_forget() {
    for ways in [
        &["DEL s"][..],
        &["RENAME s t"],
        &["RENAME s t", "DEL t"],
        &["SET s v"],
        &["SET s v KEEPTTL"],
        &["SET o v", "COPY o s REPLACE"],
        &["FLUSHDB"],
        &["FLUSHALL"],
        &["SWAPDB 0 1"],
        &["SWAPDB 0 1", "FLUSHDB"],
        &["PEXPIRE s 0"],
        &["XCFGSET s IDMP-DURATION 5"],
        &["XCFGSET s IDMP-DURATION 86400"],
    ] {
        let mut node = Node::new();
        for round in 0..2000 {
            node.ask(&format!("XADD s IDMP p {round} * f v"));
            for request in ways {
                let reply = node.ask(request);
                assert!(!reply.starts_with('-'), "{request}: {reply}");
            }
            node.ask("DEL s");
            node.ms += 3;
            // One stream may have stayed under another name or in another database.
            assert!(node.engine.keyspace().forgetting() <= 1, "{ways:?}");
        }
        node.forget();
        assert_eq!(node.engine.keyspace().forgetting(), 0, "{ways:?}");
        assert_eq!(node.engine.next_deadline(now(node.ms)), None, "{ways:?}");
    }
}

#[test]
fn a_stream_forgets_in_time_wherever_it_has_gone() {
    for ways in [
        &["PING"][..],
        &["RENAME s t"],
        &["MOVE s 1"],
        &["SWAPDB 0 1"],
        &["COPY s t"],
        &["XCFGSET s IDMP-MAXSIZE 50", "XADD s IDMP p 2 * f v"],
    ] {
        let mut node = Node::new();
        for producer in 0..300 {
            node.ask(&format!("XADD s IDMP p{producer} 1 * f v"));
            node.ms += 7;
        }
        for request in ways {
            node.ask(request);
        }
        assert!(node.engine.keyspace().forgetting() > 0, "{ways:?}");
        node.forget();
        let left = node.engine.keyspace().forgetting();
        assert_eq!(left, 0, "{ways:?}");
    }
}

#[test]
fn expiries_at_the_ends_of_the_range_neither_panic_nor_wrap() {
    let mut node = Node::new();
    for (index, at) in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX]
        .into_iter()
        .enumerate()
    {
        node.load(&format!("k{index}"), at);
    }
    assert_eq!(node.engine.next_deadline(now(0)), Some(Mono(0)));
    node.engine.timer(now(0));
    assert_eq!(node.ask("DBSIZE"), ":2\r\n");
    let wait_ms = i64::MAX as u64 - 1 - START_MS;
    assert_eq!(node.engine.next_deadline(now(0)), Some(Mono(wait_ms)));
    assert_eq!(node.ask("PEXPIRETIME k5"), format!(":{}\r\n", i64::MAX));
    assert_eq!(
        node.ask("EXPIRETIME k5"),
        format!(":{}\r\n", i64::MAX / 1000)
    );
    for request in ["TTL k5", "PTTL k5", "TTL k4"] {
        assert!(node.ask(request).starts_with(":922"), "{request}");
    }
    // A clock far from all expiries.
    let now = Now {
        unix_us: i64::MIN,
        mono: Mono(u64::MAX),
    };
    assert_eq!(node.engine.next_deadline(now), Some(Mono(u64::MAX)));
}

#[test]
fn info_has_the_average_time_that_keys_live() {
    let mut node = Node::new();
    let average = |node: &mut Node| {
        let info = node.ask("INFO keyspace");
        info.lines()
            .filter_map(|line| line.split_once(",avg_ttl="))
            .map(|(db, rest)| format!("{db} {}", rest.trim_end_matches(",subexpiry=0")))
            .collect::<Vec<_>>()
            .join("; ")
    };
    for request in [
        "SET forever x",
        "SET short x PX 1000",
        "SET long x PX 5000",
        "SET moved x PX 7000",
        "SET renamed x PX 60000",
        "MOVE moved 3",
        "RENAME renamed forever",
        "PERSIST forever",
        "PEXPIRE long 4000",
    ] {
        assert!(!node.ask(request).starts_with('-'), "{request}");
    }
    let found = average(&mut node);
    assert_eq!(
        found,
        "db0:keys=3,expires=2 2500; db3:keys=1,expires=1 7000"
    );
    node.ms += 500;
    node.ask("SWAPDB 0 3");
    node.ask("DEL long");
    node.ask("SELECT 3");
    node.ask("DEL long");
    let found = average(&mut node);
    assert_eq!(found, "db0:keys=1,expires=1 6500; db3:keys=2,expires=1 500");
    node.ask("FLUSHALL");
    node.ask("SET again x PX 10");
    assert_eq!(average(&mut node), "db3:keys=1,expires=1 10");
}
