//! A field whose time is over, but which is still there, does not exist: whatever is asked is
//! answered as if the field had been deleted, and leaves the same behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

struct Node {
    engine: Engine,
    session: SessionId,
    seconds: u64,
}

impl Node {
    fn new() -> Node {
        let mut engine = Engine::new(Settings::default(), 7, now(0), &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), now(0));
        Node {
            engine,
            session,
            seconds: 0,
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let reply = self.ask_words(request.split(' '));
        reply.escape_ascii().to_string()
    }

    fn ask_words<T: AsRef<[u8]>>(&mut self, words: impl IntoIterator<Item = T>) -> Vec<u8> {
        let argv: ArgvBuf = words.into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let at = now(self.seconds);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), at, &mut reply);
        reply.into_bytes()
    }

    /// Restores what is dumped under another name.
    fn dump_and_restore(&mut self) {
        let dumped = self.ask_words(["DUMP", "h"]);
        let end = dumped.windows(2).position(|pair| pair == b"\r\n").unwrap();
        if let Some(payload) = dumped[end + 2..].strip_suffix(b"\r\n") {
            self.ask_words([b"RESTORE", b"other".as_slice(), b"0", payload]);
        }
    }

    /// All that can be seen of some keys. (`DBSIZE` counts keys that are over and still there, as
    /// in Redis.)
    fn look(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for key in ["h", "other", "set"] {
            for request in [
                format!("TYPE {key}"),
                format!("PTTL {key}"),
                format!("HLEN {key}"),
                format!("HPEXPIRETIME {key} FIELDS 4 a over z new"),
                format!("HMGET {key} a over z new"),
                format!("HRANDFIELD {key} 100"),
            ] {
                let reply = self.ask(&request);
                lines.push(format!("{request}: {}", in_order(&reply)));
            }
        }
        for request in ["KEYS *", "SELECT 1", "HGETALL h", "SELECT 0"] {
            let reply = self.ask(request);
            lines.push(format!("{request}: {}", in_order(&reply)));
        }
        lines
    }
}

/// The lines of a reply in order: that of fields is free.
fn in_order(reply: &str) -> String {
    let mut lines: Vec<&str> = reply.split("\\r\\n").collect();
    lines.sort_unstable();
    lines.join(" ")
}

fn now(seconds: u64) -> Now {
    Now {
        unix_us: (1_790_000_000 + seconds as i64) * 1_000_000,
        mono: Mono(seconds * 1000),
    }
}

/// What may meet the field: one of each command on hashes, and of those on any key.
const REQUESTS: &[&str] = &[
    "HSET h over 7",
    "HSET h over 7 new 8",
    "HMSET h over 7",
    "HSETNX h over 7",
    "HSETEX h FIELDS 1 over 7",
    "HSETEX h KEEPTTL FIELDS 1 over 7",
    "HSETEX h FNX FIELDS 1 over 7",
    "HSETEX h FXX FIELDS 1 over 7",
    "HSETEX h FXX KEEPTTL FIELDS 2 a 6 over 7",
    "HSETEX h FNX KEEPTTL FIELDS 2 new 6 over 7",
    "HSETEX h PXAT 1900000000000 FIELDS 1 over 7",
    "HSETEX h FNX EX 100 FIELDS 1 over 7",
    "HSETEX h FXX EX 100 FIELDS 1 over 7",
    "HSETEX h PXAT 1 FIELDS 1 over 7",
    "HGETEX h FIELDS 2 over a",
    "HGETEX h PERSIST FIELDS 2 over a",
    "HGETEX h EX 100 FIELDS 2 over a",
    "HGETEX h PXAT 1 FIELDS 2 over a",
    "HGETDEL h FIELDS 1 over",
    "HGETDEL h FIELDS 3 over a z",
    "HDEL h over",
    "HDEL h over a",
    "HDEL h over a z",
    "HINCRBY h over 3",
    "HINCRBYFLOAT h over 3",
    "HGET h over",
    "HMGET h over a",
    "HEXISTS h over",
    "HSTRLEN h over",
    "HLEN h",
    "HGETALL h",
    "HKEYS h",
    "HVALS h",
    "HRANDFIELD h 100 WITHVALUES",
    "HSCAN h 0 COUNT 100",
    "HSCAN h 0 COUNT 100 NOVALUES",
    "HEXPIRE h 100 FIELDS 2 over a",
    "HEXPIRE h 100 NX FIELDS 2 over a",
    "HEXPIRE h 100 XX FIELDS 2 over a",
    "HPEXPIRE h 100 GT FIELDS 1 over",
    "HPEXPIRE h 0 FIELDS 1 over",
    "HEXPIREAT h 1900000000 LT FIELDS 2 over a",
    "HPEXPIREAT h 1900000000000 FIELDS 1 over",
    "HPERSIST h FIELDS 2 over a",
    "HTTL h FIELDS 1 over",
    "HPTTL h FIELDS 1 over",
    "HEXPIRETIME h FIELDS 2 over a",
    "HPEXPIRETIME h FIELDS 2 over a",
    "COPY h other",
    "COPY other h",
    "COPY set h",
    "RENAME h other",
    "RENAME set h",
    "RENAMENX h other",
    "RENAMENX set h",
    "MOVE h 1",
    "RESTORE h 0 \0\x01x\r\0\0\0\0\0\0\0\0\0",
    "TYPE h",
    "EXISTS h h",
    "TOUCH h",
    "OBJECT REFCOUNT h",
    "EXPIRE h 100",
    "EXPIRE h -1",
    "PERSIST h",
    "TTL h",
    "DEL h",
    "UNLINK h",
    "SET h v",
    "SET h v NX",
    "SET h v XX",
    "SETNX h v",
    "GETSET h v",
    "APPEND h v",
    "INCR h",
    "MSETNX h v new w",
    "RPUSH h x",
    "RPUSHX h x",
    "SADD h x",
    "ZADD h 1 x",
    "PFADD h x",
    "XADD h NOMKSTREAM 1-1 f v",
    "SUNIONSTORE h set",
    "LPOP h",
    "LMOVE h h LEFT LEFT",
    "SMOVE set h m",
    "RANDOMKEY",
    "KEYS *",
    "SCAN 0 COUNT 100",
    "SCAN 0 COUNT 100 TYPE hash",
];

/// A hash with some fields, one of which is over and still there, or was deleted.
fn node(fields: &str, is_deleted: bool) -> Node {
    let mut node = Node::new();
    node.ask("SADD set m");
    node.ask(&format!("HSET h {fields}"));
    node.ask("HPEXPIREAT h 1900000000000 FIELDS 1 a");
    if is_deleted {
        node.ask("HDEL h over");
    } else {
        assert_eq!(node.ask("HEXPIRE h 1 FIELDS 1 over"), "*1\\r\\n:1\\r\\n");
    }
    node.seconds += 2;
    node
}

#[test]
fn a_field_whose_time_is_over_does_not_exist_for_any_command() {
    let long = "x".repeat(100);
    // Among others in both forms, and alone: then the hash does not exist.
    for fields in [
        "a 1 over 5 z 3",
        &format!("a 1 over 5 z 3 long {long}"),
        "over 5",
    ] {
        let [mut over, mut deleted] = [false, true].map(|it| node(fields, it));
        over.dump_and_restore();
        deleted.dump_and_restore();
        assert_eq!(over.look(), deleted.look(), "restored, with {fields}");
        for request in REQUESTS {
            let what = format!("{request}, with {fields}");
            let [mut over, mut deleted] = [false, true].map(|it| node(fields, it));
            let [reply, expected] = [&mut over, &mut deleted].map(|it| it.ask(request));
            assert_eq!(in_order(&reply), in_order(&expected), "{what}");
            assert_eq!(over.look(), deleted.look(), "after {what}");
            // Once it has gone, that is still so.
            for node in [&mut over, &mut deleted] {
                (0..3).for_each(|_| node.engine.timer(now(node.seconds)));
            }
            assert_eq!(over.look(), deleted.look(), "later, after {what}");
        }
    }
}
