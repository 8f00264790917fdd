//! HyperLogLogs are to the last byte what they were after a replay, and a count writes only where
//! it may.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::server::Writes;
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

struct Node {
    engine: Engine,
    session: SessionId,
    now: Now,
}

impl Node {
    /// A server where a sparse HyperLogLog may have this many bytes.
    fn new(sparse_bytes_max: &str) -> Node {
        let mut settings = Settings::default();
        settings
            .set("hll-sparse-max-bytes", sparse_bytes_max)
            .unwrap();
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), now);
        Node {
            engine,
            session,
            now,
        }
    }

    fn ask(&mut self, request: &str) -> Vec<u8> {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), self.now, &mut reply);
        reply.into_bytes()
    }

    /// Another server that was given a log.
    fn replayed(log: &[u8], sparse_bytes_max: &str, author: Author) -> Node {
        let mut node = Node::new(sparse_bytes_max);
        let mut replay = node.engine.begin_replay(node.now);
        node.engine.replay(&mut replay, log, author).unwrap();
        node.engine.end_replay(replay, Lsn::new(1), Journalling::On);
        node
    }

    fn all(&mut self) -> Vec<Vec<u8>> {
        let keys = ["a", "b", "c"];
        keys.iter()
            .flat_map(|key| [format!("GET {key}"), format!("TTL {key}")])
            .map(|request| self.ask(&request))
            .collect()
    }
}

#[test]
fn a_replay_gives_the_same_bytes_whatever_the_setting_is() {
    let mut node = Node::new("60");
    for number in 0..400_u32 {
        let key = ["a", "b", "c"][number as usize % 3];
        let request = match number % 11 {
            0 => "PFCOUNT a b".to_owned(),
            1..3 => format!("PFCOUNT {key}"),
            3 => format!("PFMERGE {key} a c"),
            4 if number > 300 => format!("PFDEBUG TODENSE {key}"),
            5 if number % 5 == 0 => format!("DEL {key}"),
            6 => format!("EXPIRE {key} 1000"),
            7 => format!("PFADD {key} {number} {} {}", number * 7, number * 77),
            _ => format!("PFADD {key} {}", number % 90),
        };
        let reply = node.ask(&request);
        assert_ne!(reply.first(), Some(&b'-'), "{request}");
        if number % 40 == 39 {
            let log = node.engine.effects().to_vec();
            for setting in ["0", "3000"] {
                let mut replayed = Node::replayed(&log, setting, Author::Weir);
                assert_eq!(replayed.all(), node.all(), "{setting} after {number}");
            }
        }
    }
    assert!(node.ask("STRLEN a").starts_with(b":12304"));
}

#[test]
fn in_a_log_of_redis_the_setting_decides() {
    let mut log = Vec::new();
    for element in 0..20 {
        let element = format!("{element:02}");
        log.extend(format!("*3\r\n$5\r\nPFADD\r\n$1\r\na\r\n$2\r\n{element}\r\n").bytes());
    }
    let mut redis = Node::replayed(&log, "40", Author::Other);
    assert_eq!(redis.ask("PFDEBUG ENCODING a"), b"+dense\r\n");
    let mut weir = Node::replayed(&log, "40", Author::Weir);
    assert_eq!(weir.ask("PFDEBUG ENCODING a"), b"+sparse\r\n");
    assert_eq!(redis.ask("PFCOUNT a"), weir.ask("PFCOUNT a"));
}

#[test]
fn a_count_is_kept_where_writes_are_accepted_and_made_each_time_where_they_are_not() {
    let mut node = Node::new("3000");
    node.ask("PFADD a x y");
    node.engine.effects_taken();
    let before = node.ask("GET a");
    node.engine.server.writes = Writes::Refused("the disk is full".to_owned());
    assert_eq!(node.ask("PFCOUNT a"), b":2\r\n");
    assert_eq!(node.ask("GET a"), before);
    assert!(node.engine.effects().is_empty());
    node.engine.server.writes = Writes::Accepted;
    node.ask("CLIENT PAUSE 1000 WRITE");
    assert_eq!(node.ask("PFCOUNT a"), b":2\r\n");
    assert_eq!(node.ask("GET a"), before);
    node.ask("CLIENT UNPAUSE");
    assert_eq!(node.ask("PFCOUNT a"), b":2\r\n");
    assert_ne!(node.ask("GET a"), before);
    let logged = node.engine.effects().len();
    assert!(logged > 0);
    assert_eq!(node.ask("PFCOUNT a"), b":2\r\n");
    assert_eq!(node.engine.effects().len(), logged);
}

#[test]
fn what_changes_nothing_is_not_logged() {
    let mut node = Node::new("3000");
    node.ask("PFADD a x y");
    node.ask("PFADD b x");
    node.ask("PFDEBUG TODENSE b");
    node.engine.effects_taken();
    for request in ["PFADD a", "PFADD a y x", "PFADD b x", "PFDEBUG TODENSE b"] {
        assert_eq!(node.ask(request), b":0\r\n");
        assert!(node.engine.effects().is_empty(), "{request}");
    }
    // One register of the dense form is not 12 KiB in the log.
    node.ask("PFADD b y");
    assert!(node.engine.effects().len() < 100);
    node.ask("PFMERGE b b");
    assert!(node.engine.effects().len() < 200);
}
