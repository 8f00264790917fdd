//! When memory is used up, the keys go that the policy says, a bounded number at a time, and writes
//! are refused only if none may go.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::ops::Range;

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::{EVICTED_PER_REQUEST_MAX, EVICTED_PER_TIMER_MAX};
use engine::store::log::Journalling;
use engine::store::notifications::Classes;
use engine::{Author, Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

/// An engine whose memory is what its keys take.
struct Node {
    engine: Engine,
    session: SessionId,
    seconds: u64,
    settings: Settings,
    /// What is used, if that does not follow from the keys.
    held_bytes: Option<u64>,
}

impl Node {
    fn new(policy: &str) -> Node {
        let mut settings = Settings::default();
        settings.set("maxmemory-policy", policy).unwrap();
        let mut engine = Engine::new(settings.clone(), 7, now(0), &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), now(0));
        Node {
            engine,
            session,
            seconds: 0,
            settings,
            held_bytes: None,
        }
    }

    fn ask(&mut self, request: &str) -> String {
        self.measure();
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let at = now(self.seconds);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), at, &mut reply);
        self.measure();
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    fn timer(&mut self) {
        self.engine.timer(now(self.seconds));
        self.measure();
    }

    /// What the shell does before each request.
    fn measure(&mut self) {
        if self.engine.server.config.memory_bytes_max == 0 {
            return;
        }
        self.engine.server.shell.used_memory = self.held_bytes.unwrap_or(self.used_bytes());
    }

    fn used_bytes(&self) -> u64 {
        let databases = 0..self.engine.keyspace().database_count();
        let records = databases.flat_map(|db| self.engine.keyspace().records(db));
        records.map(|record| record.memory_bytes(0) as u64).sum()
    }

    /// From now on, no more memory may be used than this share of what is used, in percent.
    fn limit_to(&mut self, percent: u64) {
        let bytes = self.used_bytes() * percent / 100;
        self.ask(&format!("CONFIG SET maxmemory {bytes}"));
    }

    fn keys(&self) -> usize {
        self.engine.keyspace().len(0)
    }

    /// Which share of the keys with these numbers is still there, in percent.
    fn kept(&self, keys: Range<usize>) -> usize {
        let all = keys.len();
        let is_there = |number: &usize| self.engine.keyspace().exists(0, name(*number).as_bytes());
        keys.filter(is_there).count() * 100 / all
    }

    /// Lets the timer run until nothing is to be evicted.
    fn settle(&mut self) {
        for _ in 0..1000 {
            self.timer();
            let next = self.engine.next_deadline(now(self.seconds));
            if next.is_none_or(|at| at > now(self.seconds).mono) {
                return;
            }
        }
        panic!("eviction does not end");
    }
}

fn now(seconds: u64) -> Now {
    Now {
        unix_us: (1_790_000_000 + seconds as i64) * 1_000_000,
        mono: Mono(seconds * 1000),
    }
}

fn name(number: usize) -> String {
    format!("key:{number}")
}

const KEYS: usize = 1000;

/// A node with many keys, of which the first half are what the policy prefers to evict. Every other
/// one expires.
fn prepared(policy: &str, prefer: impl Fn(&mut Node, usize)) -> Node {
    let mut node = Node::new(policy);
    for number in 0..KEYS {
        let key = name(number);
        node.ask(&format!("SET {key} v"));
        if number % 2 == 1 {
            // Those of the first half expire first.
            node.ask(&format!("EXPIRE {key} {}", 10_000 + number));
        }
    }
    node.seconds += 100;
    for number in KEYS / 2..KEYS {
        prefer(&mut node, number);
    }
    node.seconds += 10;
    node
}

fn nothing(_: &mut Node, _: usize) {}

fn get(node: &mut Node, number: usize) {
    for _ in 0..30 {
        node.ask(&format!("GET {}", name(number)));
    }
}

fn set(node: &mut Node, number: usize) {
    node.ask(&format!("APPEND {} w", name(number)));
}

#[test]
fn each_policy_evicts_the_keys_that_it_is_named_after() {
    type Prefer = fn(&mut Node, usize);
    let policies: [(&str, Prefer); 4] = [
        ("allkeys-lru", get),
        ("allkeys-lfu", get),
        ("allkeys-lrm", set),
        ("allkeys-random", nothing),
    ];
    for (policy, prefer) in policies {
        let mut node = prepared(policy, prefer);
        node.limit_to(62);
        node.settle();
        let (bad, good) = (node.kept(0..KEYS / 2), node.kept(KEYS / 2..KEYS));
        match policy {
            "allkeys-random" => assert!((45..75).contains(&bad) && (45..75).contains(&good)),
            _ => assert!(bad < 30 && good > 90, "{policy}: {bad} and {good}"),
        }
    }
}

#[test]
fn volatile_policies_evict_only_keys_that_expire() {
    type Prefer = fn(&mut Node, usize);
    let policies: [(&str, Prefer); 5] = [
        ("volatile-lru", get),
        ("volatile-lfu", get),
        ("volatile-lrm", set),
        ("volatile-ttl", nothing),
        ("volatile-random", nothing),
    ];
    for (policy, prefer) in policies {
        let mut node = prepared(policy, prefer);
        node.limit_to(80);
        node.settle();
        let (bad, good) = (node.kept(0..KEYS / 2), node.kept(KEYS / 2..KEYS));
        // Half of the keys in each half stay anyway.
        match policy {
            "volatile-random" => assert!((65..90).contains(&bad) && (65..90).contains(&good)),
            _ => assert!(bad < 75 && good > 92, "{policy}: {bad} and {good}"),
        }
        for number in (0..KEYS).step_by(2) {
            assert_eq!(node.kept(number..number + 1), 100, "{policy} {number}");
        }
        // Once none of them is left, writes are refused; what frees memory is not.
        node.limit_to(30);
        node.settle();
        assert_eq!(node.keys(), KEYS / 2, "{policy}");
        assert_eq!(node.ask("SET more v"), OOM, "{policy}");
        assert_eq!(node.ask("GET key:0"), "$1\r\nv\r\n", "{policy}");
        assert_eq!(node.ask("DEL key:0"), ":1\r\n", "{policy}");
        let evicted = format!("evicted_keys:{}\r\n", KEYS / 2);
        assert!(node.ask("INFO stats").contains(&evicted), "{policy}");
    }
}

#[test]
fn the_few_keys_that_expire_are_found_among_many_that_do_so_no_longer() {
    const MANY: usize = 100_000;
    let mut node = Node::new("volatile-random");
    for number in 0..MANY {
        node.ask(&format!("SET {} v EX {}", name(number), 1000 + number));
    }
    for number in (0..MANY).filter(|number| number % 25_000 != 0) {
        node.ask(&format!("PERSIST {}", name(number)));
    }
    node.limit_to(99);
    node.settle();
    let kept = [0, 25_000, 50_000, 75_000].map(|number| node.kept(number..number + 1));
    assert_eq!((kept, node.keys()), ([0; 4], MANY - 4));
}

#[test]
fn uses_that_do_not_count_save_no_key() {
    let mut node = prepared("allkeys-lrm", get);
    node.limit_to(60);
    node.settle();
    assert!((40..80).contains(&node.kept(KEYS / 2..KEYS)));
    let mut node = prepared("allkeys-lru", |node, number| {
        node.ask(&format!("EXISTS {}", name(number)));
        node.ask("CLIENT NO-TOUCH ON");
        node.ask(&format!("GET {}", name(number)));
        node.ask("CLIENT NO-TOUCH OFF");
    });
    node.limit_to(60);
    node.settle();
    assert!((40..80).contains(&node.kept(KEYS / 2..KEYS)));
    // TOUCH counts whatever the client has said.
    let mut node = prepared("allkeys-lru", |node, number| {
        node.ask("CLIENT NO-TOUCH ON");
        node.ask(&format!("TOUCH {}", name(number)));
    });
    node.limit_to(60);
    node.settle();
    assert!(node.kept(KEYS / 2..KEYS) > 90);
}

#[test]
fn without_a_policy_writes_are_refused() {
    let mut node = prepared("noeviction", nothing);
    node.limit_to(90);
    node.settle();
    assert_eq!(node.keys(), KEYS);
    assert_eq!(node.ask("SET more v"), OOM);
    assert_eq!(node.ask("SET key:1 v"), OOM);
    assert_eq!(node.ask("GET key:1"), "$1\r\nv\r\n");
}

#[test]
fn a_request_evicts_a_bounded_number_and_goes_on() {
    let mut node = prepared("allkeys-lru", nothing);
    let bytes = node.used_bytes();
    node.ask(&format!("CONFIG SET maxmemory {}", bytes / 10));
    let before = node.keys();
    assert_eq!(node.ask("SET more v"), "+OK\r\n");
    assert_eq!(node.keys(), before - EVICTED_PER_REQUEST_MAX + 1);
    // The timer has something to do until it is enough.
    let before = node.keys();
    let at = now(node.seconds);
    assert!(
        node.engine
            .next_deadline(at)
            .is_some_and(|next| next <= at.mono)
    );
    node.timer();
    assert_eq!(node.keys(), before - EVICTED_PER_TIMER_MAX);
    node.settle();
    assert!(node.used_bytes() <= bytes / 10);
    assert!(node.keys() > KEYS / 20);
}

#[test]
fn what_a_snapshot_still_holds_does_not_count_as_used() {
    let mut node = prepared("allkeys-random", nothing);
    node.engine.server.shell.persistence.snapshotting = true;
    let bytes = node.used_bytes();
    node.held_bytes = Some(bytes);
    node.ask(&format!("CONFIG SET maxmemory {}", bytes * 9 / 10));
    node.settle();
    assert!((850..920).contains(&node.keys()), "{}", node.keys());
    // It ends, and what it held is free.
    node.engine.server.shell.persistence.snapshotting = false;
    node.held_bytes = None;
    node.measure();
    node.settle();
    assert!((850..920).contains(&node.keys()), "{}", node.keys());
}

#[test]
fn streams_and_keys_of_all_databases_are_evicted_too() {
    let mut node = Node::new("allkeys-random");
    for number in 0..100 {
        node.ask(&format!("SELECT {}", number % 4));
        node.ask(&format!(
            "XADD {} 1-1 field {}",
            name(number),
            "v".repeat(500)
        ));
    }
    node.limit_to(20);
    node.settle();
    for database in 0..4 {
        assert!((1..15).contains(&node.engine.keyspace().len(database)));
    }
    node.limit_to(0);
    node.ask("CONFIG SET maxmemory 1");
    node.settle();
    assert!(node.engine.keyspace().is_empty());
}

#[test]
fn what_is_evicted_is_deleted_in_the_log_and_told_of() {
    let mut node = Node::new("allkeys-random");
    node.engine.set_journalling(Journalling::On);
    node.engine.listen_to(Classes::ALL);
    for number in 0..100 {
        node.ask(&format!("SET {} v", name(number)));
    }
    node.ask("WATCH key:0 key:1 key:2");
    node.engine.take_notifications();
    node.limit_to(50);
    node.settle();
    let told = node.engine.take_notifications();
    assert_eq!(told.len(), 100 - node.keys());
    assert!(
        told.iter()
            .all(|one| (one.event, one.class.letter()) == ("evicted", 'e'))
    );
    let log = node.engine.effects().to_vec();
    let deletions = log.windows(5).filter(|bytes| *bytes == b"\nDEL\r").count();
    assert_eq!(deletions, told.len());
    // A follower has the same keys, although it has another limit and other random numbers.
    node.settings.set("maxmemory", "1").unwrap();
    let mut other = Engine::new(node.settings.clone(), 8, now(0), &commands::TABLE);
    let mut replay = other.begin_replay(now(0));
    other.replay(&mut replay, &log, Author::Weir).unwrap();
    other.timer(now(1));
    let names = |engine: &Engine| {
        let records = engine.keyspace().records(0);
        let mut names: Vec<_> = records.map(|record| record.key().to_vec()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&other), names(&node.engine));
    // A transaction that watched one of them does not run.
    node.ask("MULTI");
    node.ask("PING");
    let is_gone = node.kept(0..3) < 100;
    assert_eq!(node.ask("EXEC") == "*-1\r\n", is_gone);
}

#[test]
fn what_is_known_of_uses_follows_the_policy() {
    let mut node = Node::new("allkeys-lfu");
    node.ask("SET k v");
    assert_eq!(node.ask("OBJECT FREQ k"), ":5\r\n");
    assert_eq!(node.ask("OBJECT FREQ none"), "$-1\r\n");
    assert!(
        node.ask("OBJECT IDLETIME k")
            .starts_with("-ERR An LFU maxmemory policy is selected")
    );
    for _ in 0..1000 {
        node.ask("GET k");
    }
    let used = node.ask("OBJECT FREQ k");
    assert!(used.len() == 5 && used.as_str() > ":12", "{used}");
    node.seconds += 3600;
    assert_eq!(node.ask("OBJECT FREQ k"), ":0\r\n");
    let payload = "\x00\x01v\x0b\x00";
    assert!(
        node.ask(&format!("RESTORE k 0 {payload} REPLACE FREQ 256"))
            .starts_with("-ERR")
    );
    node.ask("COPY k other");
    assert_eq!(node.ask("OBJECT FREQ other"), ":5\r\n");
    node.ask("CONFIG SET maxmemory-policy volatile-ttl");
    assert!(
        node.ask("OBJECT FREQ k")
            .starts_with("-ERR An LFU maxmemory policy is not selected")
    );
    node.ask("GET k");
    node.seconds += 77;
    assert_eq!(node.ask("OBJECT IDLETIME k"), ":77\r\n");
}
