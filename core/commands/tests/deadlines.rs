//! What is due for a key goes with the key, whatever becomes of it; no deadline is too far away;
//! and however much is due at a time, it is done in bounded steps.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::{EXPIRED_PER_TIMER_MAX, STEPS_PER_TIMER_MAX};
use engine::{Engine, Expired, Mono, Now};
use rdb::{Record, Usage};
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
        let loaded = Record {
            key: Key::from(key.as_bytes()),
            value,
            expires_at_ms: Some(expires_at),
            usage: Usage::Unknown,
        };
        self.engine.load(0, loaded, Expired::Kept, now(self.ms));
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
            assert!(node.engine.keyspace().scheduled() <= 1, "{ways:?}");
        }
        node.forget();
        assert_eq!(node.engine.keyspace().scheduled(), 0, "{ways:?}");
        assert_eq!(node.engine.next_deadline(now(node.ms)), None, "{ways:?}");
    }
}

#[test]
fn keys_that_come_and_go_leave_nothing_to_expire() {
    for ways in [
        &["DEL k"][..],
        &["SET k v"],
        &["SET k v PX 300000"],
        &["SET k v KEEPTTL", "PEXPIRE k 700000 GT"],
        &["PEXPIRE k 300000", "PEXPIRE k 900000", "PEXPIRE k 300000"],
        &["PERSIST k"],
        &["GETEX k PERSIST"],
        &["GETDEL k"],
        &["RENAME k l"],
        &["COPY k l REPLACE"],
        &["MOVE k 1", "SWAPDB 0 1"],
        &["FLUSHDB"],
        &["SWAPDB 0 1", "FLUSHALL"],
        &["XADD l IDMP p 1 * f v", "PEXPIRE l 200000", "RENAME l k"],
    ] {
        let mut node = Node::new();
        for _ in 0..2000 {
            node.ask("SET k v PX 500000");
            for request in ways {
                let reply = node.ask(request);
                assert!(!reply.starts_with('-'), "{request}: {reply}");
            }
            // What is left expires once at most, whatever was set before, and a stream has a timer.
            let keys = node.engine.keyspace();
            assert!(keys.expiring(0) <= keys.len(0), "{ways:?}");
            assert!(keys.scheduled() - keys.expiring(0) <= 1, "{ways:?}");
            node.ask("DEL k");
            node.ms += 3;
        }
        node.ask("DEL l");
        assert_eq!(node.engine.keyspace().scheduled(), 0, "{ways:?}");
        // The timer looks once more, when the first of them would have been due.
        node.ms += 1_000_000;
        node.engine.timer(now(node.ms));
        assert_eq!(node.engine.next_deadline(now(node.ms)), None, "{ways:?}");
    }
}

/// Squared, it is more than a test can wait for.
const MANY: u64 = 100_000;

#[test]
fn swapping_and_emptying_databases_looks_at_no_key_that_stays() {
    let mut node = Node::new();
    for number in 0..MANY {
        node.load(&format!("k{number}"), (START_MS + 500_000) as i64);
    }
    for _ in 0..MANY / 2 {
        node.ask("SWAPDB 0 1");
        node.ask("SET one v PX 100000");
        node.ask("FLUSHDB");
        node.ask("SWAPDB 0 1");
    }
    let keys = node.engine.keyspace();
    assert_eq!((keys.scheduled() as u64, keys.len(0) as u64), (MANY, MANY));
    // The content of a database that was emptied is handed out with all that was due for it.
    node.ask("FLUSHDB");
    assert_eq!(node.engine.keyspace().scheduled(), 0);
    assert_eq!(node.engine.take_dropped().len(), 1);
}

#[test]
fn many_keys_that_expire_at_one_moment_go_a_bounded_number_at_a_time() {
    const KEYS: usize = 300_000;
    let mut node = Node::new();
    node.ms = 3_600_000;
    let at = START_MS + node.ms;
    for number in 0..KEYS {
        node.load(&format!("k{number}"), at as i64);
    }
    node.ask("SELECT 1");
    node.ask("SET other v PX 1");
    node.ask("SELECT 0");
    node.ms += 1;
    let (mut left, mut calls) = (KEYS + 1, 0);
    while left > 0 {
        let due = node.engine.next_deadline(now(node.ms));
        assert_eq!(due, Some(now(node.ms).mono), "{left} are left");
        node.engine.timer(now(node.ms));
        let keys = node.engine.keyspace();
        let removed = left - keys.len(0) - keys.len(1);
        assert!(removed <= EXPIRED_PER_TIMER_MAX);
        (left, calls) = (left - removed, calls + 1);
        // Each database gets its turn, however much is due in another.
        assert!(calls < 20 || keys.len(1) == 0);
    }
    assert!(calls <= KEYS.div_ceil(EXPIRED_PER_TIMER_MAX) + 1, "{calls}");
    node.engine.timer(now(node.ms));
    assert_eq!(node.engine.next_deadline(now(node.ms)), None);
}

#[test]
fn a_key_expires_while_a_stream_has_much_to_forget() {
    let mut node = Node::new();
    let producers = 20 * STEPS_PER_TIMER_MAX;
    for producer in 0..producers {
        node.ask(&format!("XADD s IDMP p{producer} 1 * f v"));
    }
    node.ask("SET k v PX 150000");
    node.ms += 200_000;
    let (mut calls, mut expired_after) = (0, None);
    while node.engine.keyspace().scheduled() > 0 {
        node.engine.timer(now(node.ms));
        calls += 1;
        if expired_after.is_none() && node.engine.keyspace().len(0) == 1 {
            expired_after = Some(calls);
        }
    }
    assert!(
        expired_after.unwrap() <= 3 && calls >= 10,
        "{expired_after:?} of {calls}"
    );
}

#[test]
fn keys_that_may_not_expire_now_hold_up_nothing_and_go_afterwards() {
    let mut node = Node::new();
    for number in 0..5000 {
        node.ask(&format!("SET k{number} v PX 10"));
    }
    node.ask("SET persistent v PX 10");
    node.ask("XADD s IDMP p 1 * f v");
    node.ask("CLIENT PAUSE 300000 WRITE");
    node.ms += 200_000;
    for _ in 0..5 {
        node.engine.timer(now(node.ms));
    }
    // The stream has forgotten, and nobody looks at the others again before the pause ends.
    assert_eq!(node.engine.keyspace().scheduled(), 5001);
    let next = node.engine.next_deadline(now(node.ms));
    assert_eq!(next, Some(Mono(300_000)));
    node.ask("CLIENT UNPAUSE");
    assert_eq!(node.engine.next_deadline(now(node.ms)), Some(Mono(node.ms)));
    node.ask("DEL persistent");
    node.ask("SWAPDB 0 1");
    for _ in 0..30 {
        node.engine.timer(now(node.ms));
    }
    let keys = node.engine.keyspace();
    assert_eq!((keys.len(0), keys.len(1), keys.scheduled()), (0, 1, 0));
    assert_eq!(node.engine.next_deadline(now(node.ms)), None);
}

#[test]
fn keys_expire_in_time_although_the_time_of_day_has_stepped_back() {
    let mut node = Node::new();
    node.ask("SET first v PX 1000");
    let year = 365 * 86_400_000;
    // Somebody sets the clock to next year, and it is noticed.
    node.ms += year;
    node.engine.timer(now(node.ms));
    node.ask("SET later v PX 5000");
    node.ms -= year;
    node.ask("SET k v PX 5000");
    for (ms, keys) in [(4999, 2), (1, 1)] {
        node.ms += ms;
        node.engine.timer(now(node.ms));
        assert_eq!(node.engine.keyspace().len(0), keys);
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
        assert!(node.engine.keyspace().scheduled() > 0, "{ways:?}");
        node.forget();
        let left = node.engine.keyspace().scheduled();
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
    // Nothing that is due so late is looked at before.
    let next = node.engine.next_deadline(now(0));
    assert!(next > Some(Mono(wait_ms / 2)) && next <= Some(Mono(wait_ms)));
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

#[test]
fn fields_that_come_and_go_leave_nothing_to_expire() {
    for ways in [
        &["DEL h"][..],
        &["HDEL h f g"],
        &["HGETDEL h FIELDS 2 f g"],
        &["HPERSIST h FIELDS 2 f g"],
        &["HSET h f 1 g 2"],
        &[
            "HSETEX h KEEPTTL FIELDS 1 f 1",
            "HGETEX h PERSIST FIELDS 2 f g",
        ],
        &["HPEXPIRE h 300000 FIELDS 1 f", "HPEXPIRE h 7 FIELDS 2 f g"],
        &["RENAME h i", "COPY i h", "DEL i", "EXPIRE h 700"],
        &["SET h v", "DEL h"],
        &["MOVE h 1", "FLUSHALL"],
        &["SWAPDB 0 1", "FLUSHALL"],
    ] {
        let mut node = Node::new();
        for _ in 0..300 {
            node.ask("HSET h f 1 g 2 h 3");
            let reply = node.ask("HPEXPIRE h 100000 FIELDS 2 f g");
            assert_eq!(reply, "*2\r\n:1\r\n:1\r\n");
            let keyspace = node.engine.keyspace();
            let timers = keyspace.scheduled() - keyspace.expiring(0);
            assert_eq!((timers, keyspace.expiring_parts(0)), (1, 1));
            for request in ways {
                let reply = node.ask(request);
                assert!(!reply.starts_with('-'), "{request}: {reply}");
            }
            // One timer for the fields, whatever was set before.
            let keys = node.engine.keyspace();
            assert!(keys.scheduled() - keys.expiring(0) <= 1, "{ways:?}");
            node.ms += 3;
        }
        node.forget();
        node.ask("DEL h");
        // A timer moves down the wheel.
        node.ms += 2_000_000;
        for _ in 0..5 {
            node.engine.timer(now(node.ms));
        }
        let keyspace = node.engine.keyspace();
        assert_eq!(keyspace.scheduled(), 0, "{ways:?}");
        assert_eq!(keyspace.expiring_parts(0), 0, "{ways:?}");
        node.engine.timer(now(node.ms));
        assert_eq!(node.engine.next_deadline(now(node.ms)), None, "{ways:?}");
    }
}

#[test]
fn many_fields_that_expire_at_once_go_in_bounded_steps_and_are_hidden_until_then() {
    const FIELDS: usize = 20_000;
    let mut node = Node::new();
    for from in (0..FIELDS).step_by(100) {
        let fields = (from..from + 100).map(|it| format!(" f{it} v"));
        let fields: String = fields.collect();
        node.ask(&format!("HSETEX h PX 1000 FIELDS 100{fields}"));
    }
    node.ask("HSET h stays v");
    node.ask("SET k v PX 1000");
    node.ms += 1000;
    // Before any of them went.
    assert_eq!(node.ask("HLEN h"), ":1\r\n");
    assert_eq!(node.ask("HGETALL h"), "*2\r\n$5\r\nstays\r\n$1\r\nv\r\n");
    assert_eq!(node.ask("HRANDFIELD h 5"), "*1\r\n$5\r\nstays\r\n");
    assert_eq!(node.ask("HGET h f7"), "$-1\r\n");
    let stored = |node: &Node| {
        let keyspace = node.engine.keyspace();
        let record = keyspace.find(0, keyspace.hash(b"h"), b"h").unwrap();
        record.value().get::<values::Hash>().unwrap().len()
    };
    let (mut before, mut calls) = (stored(&node), 0);
    assert_eq!(before, FIELDS, "the one that was asked for has gone");
    while before > 1 {
        node.engine.timer(now(node.ms));
        let after = stored(&node);
        assert!(before - after <= EXPIRED_PER_TIMER_MAX, "{before} {after}");
        assert!(after < before, "each call gets on");
        (before, calls) = (after, calls + 1);
        // Other keys have their turn.
        let keyspace = node.engine.keyspace();
        assert!(calls < 3 || !keyspace.exists(0, b"k"), "{calls}");
    }
    assert!(calls >= FIELDS / EXPIRED_PER_TIMER_MAX);
    let info = node.ask("INFO stats");
    assert!(info.contains("expired_subkeys:20000\r\n"), "{info}");
    assert!(info.contains("expired_subkeys_active:19999\r\n"), "{info}");
    assert!(
        node.ask("INFO keyspace")
            .contains("keys=1,expires=0,avg_ttl=0,subexpiry=0")
    );
}

#[test]
fn a_key_goes_with_the_last_of_its_fields_whether_the_timer_or_a_command_meets_it() {
    for by_timer in [true, false] {
        let mut node = Node::new();
        node.ask("HSETEX h PX 10 FIELDS 2 f 1 g 2");
        node.ms += 10;
        if by_timer {
            node.engine.timer(now(node.ms));
            assert!(node.engine.keyspace().is_empty());
        }
        assert_eq!(node.ask("EXISTS h"), ":0\r\n");
        assert_eq!(node.ask("TYPE h"), "+none\r\n");
        assert!(node.engine.keyspace().is_empty());
        assert_eq!(node.ask("HSETNX h f 3"), ":1\r\n");
        assert_eq!(node.ask("HTTL h FIELDS 1 f"), "*1\r\n:-1\r\n");
        let info = node.ask("INFO stats");
        assert!(info.contains("expired_subkeys:2\r\n"), "{info}");
        assert!(info.contains("expired_keys:0\r\n"), "{info}");
    }
}

#[test]
fn fields_stay_and_are_hidden_while_clients_are_paused() {
    let mut node = Node::new();
    let mut other = node.engine.connect(String::new(), String::new(), now(0));
    node.ask("HSET h f 1 g 2");
    node.ask("HPEXPIRE h 10 FIELDS 1 f");
    node.ask("HSETEX all PX 10 FIELDS 1 f 1");
    node.ask("CLIENT PAUSE 1000 WRITE");
    node.ms += 20;
    node.engine.timer(now(node.ms));
    std::mem::swap(&mut node.session, &mut other);
    assert_eq!(node.ask("HGET h f"), "$-1\r\n");
    assert_eq!(node.ask("HLEN h"), ":1\r\n");
    assert_eq!(node.ask("EXISTS all"), ":0\r\n");
    assert_eq!(node.engine.keyspace().len(0), 2, "nothing was written");
    node.ms += 1000;
    node.engine.timer(now(node.ms));
    node.engine.timer(now(node.ms));
    assert_eq!(node.engine.keyspace().len(0), 1);
    assert_eq!(node.engine.keyspace().expiring_parts(0), 0);
}

/// What Redis 8.6.3 does not do: it answers `HSET` 0, and `HSETEX` sets what nobody ever sees.
#[test]
fn a_field_whose_time_is_over_does_not_exist_for_commands_that_write() {
    let after = |request: &str| {
        let mut node = Node::new();
        node.ask("HSET h f old g 2");
        node.ask("HPEXPIRE h 10 FIELDS 1 f");
        node.ms += 10;
        let reply = node.ask(request);
        let ttl = node.ask("HPEXPIRETIME h FIELDS 1 f");
        (reply, node.ask("HGET h f"), ttl)
    };
    let expect = |reply: &str, value: &str, ttl: i64| {
        (
            reply.to_owned(),
            value.to_owned(),
            format!("*1\r\n:{ttl}\r\n"),
        )
    };
    let new = "$3\r\nnew\r\n";
    assert_eq!(after("HSET h f new"), expect(":1\r\n", new, -1));
    assert_eq!(after("HSETNX h f new"), expect(":1\r\n", new, -1));
    let keeping = "HSETEX h KEEPTTL FIELDS 1 f new";
    assert_eq!(after(keeping), expect(":1\r\n", new, -1));
    let missing = "HSETEX h FNX FIELDS 1 f new";
    assert_eq!(after(missing), expect(":1\r\n", new, -1));
    let none = "$-1\r\n";
    let there = "HSETEX h FXX FIELDS 1 f new";
    assert_eq!(after(there), expect(":0\r\n", none, -2));
    assert_eq!(after("HDEL h f"), expect(":0\r\n", none, -2));
    assert_eq!(
        after("HPERSIST h FIELDS 1 f"),
        expect("*1\r\n:-2\r\n", none, -2)
    );
    let extend = "HPEXPIRE h 100 FIELDS 1 f";
    assert_eq!(after(extend), expect("*1\r\n:-2\r\n", none, -2));
    let one = "$1\r\n1\r\n";
    assert_eq!(after("HINCRBY h f 1"), expect(":1\r\n", one, -1));
    assert_eq!(after("HINCRBYFLOAT h f 1"), expect(one, one, -1));
}
