//! HSCAN, SSCAN, ZSCAN, and SCAN return every element that is there throughout, while others come
//! and go and the value changes its form; and what is drawn at random is each with the same chance.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

struct Node {
    engine: Engine,
    session: SessionId,
}

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

impl Node {
    fn new() -> Node {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), NOW);
        Node { engine, session }
    }

    /// The strings in the reply.
    fn ask<T: AsRef<[u8]>>(&mut self, words: impl IntoIterator<Item = T>) -> Vec<String> {
        let argv: ArgvBuf = words.into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), NOW, &mut reply);
        let text = String::from_utf8(reply.into_bytes()).unwrap();
        assert!(!text.starts_with('-'), "{text}");
        let is_head = |line: &&str| !line.starts_with(['*', '$']);
        text.split("\r\n")
            .filter(is_head)
            .filter(|line| !line.is_empty())
            .map(String::from)
            .collect()
    }

    fn say(&mut self, request: &str) -> Vec<String> {
        self.ask(request.split(' '))
    }
}

/// What is gone through.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Hash,
    Set,
    SortedSet,
    Keyspace,
}

impl Subject {
    fn add(self, element: &str, node: &mut Node) {
        match self {
            Subject::Hash => node.ask(["HSET", "k", element, "v"]),
            Subject::Set => node.ask(["SADD", "k", element]),
            Subject::SortedSet => node.ask(["ZADD", "k", "1", element]),
            Subject::Keyspace => node.ask(["SET", element, "v"]),
        };
    }

    fn remove(self, element: &str, node: &mut Node) {
        match self {
            Subject::Hash => node.ask(["HDEL", "k", element]),
            Subject::Set => node.ask(["SREM", "k", element]),
            Subject::SortedSet => node.ask(["ZREM", "k", element]),
            Subject::Keyspace => node.ask(["DEL", element]),
        };
    }

    /// A step: the next cursor, and the elements that it shows.
    fn step(self, cursor: &str, count: usize, node: &mut Node) -> (String, Vec<String>) {
        let count = count.to_string();
        let mut shown = match self {
            Subject::Hash => node.ask(["HSCAN", "k", cursor, "COUNT", &count, "NOVALUES"]),
            Subject::Set => node.ask(["SSCAN", "k", cursor, "COUNT", &count]),
            Subject::SortedSet => node.ask(["ZSCAN", "k", cursor, "COUNT", &count]),
            Subject::Keyspace => node.ask(["SCAN", cursor, "COUNT", &count]),
        };
        let next = shown.remove(0);
        if matches!(self, Subject::SortedSet) {
            shown = shown.into_iter().step_by(2).collect();
        }
        (next, shown)
    }
}

/// What happens between two steps.
#[derive(Clone, Debug)]
enum Change {
    /// As many come, numbered from one on.
    Come(usize, usize),
    /// As many go.
    Go(usize, usize),
    /// One comes that no small form may have.
    Long,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..1500_usize, 0..400_usize).prop_map(|(from, count)| Change::Come(from, count)),
        4 => (0..1500_usize, 0..900_usize).prop_map(|(from, count)| Change::Go(from, count)),
        1 => Just(Change::Long),
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        Just(Subject::Hash),
        Just(Subject::Set),
        Just(Subject::SortedSet),
        Just(Subject::Keyspace),
    ]
}

type Name = fn(usize) -> String;

/// Names of elements that stay, and of others: texts, or integers, which an intset may have.
fn names(integers: bool) -> (Name, Name) {
    match integers {
        true => (|n| (10_000 + n).to_string(), |n| n.to_string()),
        false => (|n| format!("stays{n}"), |n| format!("goes{n}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_scan_returns_all_that_is_there_throughout(
        subject in subject(),
        integers in any::<bool>(),
        staying in 1..600_usize,
        others in 0..1500_usize,
        count in 1..60_usize,
        changes in prop::collection::vec(change(), 0..25),
    ) {
        let mut node = Node::new();
        let (stays, goes) = names(integers);
        // They come in turns.
        for n in 0..staying.max(others) {
            if n < others {
                subject.add(&goes(n), &mut node);
            }
            if n < staying {
                subject.add(&stays(n), &mut node);
            }
        }
        let mut seen = BTreeSet::new();
        let mut cursor = "0".to_owned();
        let mut changes = changes.into_iter();
        for steps in 0.. {
            prop_assert!(steps < 20_000, "it does not end");
            let (next, shown) = subject.step(&cursor, count, &mut node);
            seen.extend(shown);
            if next == "0" {
                break;
            }
            cursor = next;
            match changes.next() {
                Some(Change::Come(from, many)) => {
                    (from..from + many).for_each(|n| subject.add(&goes(n), &mut node));
                }
                Some(Change::Go(from, many)) => {
                    (from..from + many).for_each(|n| subject.remove(&goes(n), &mut node));
                }
                Some(Change::Long) => subject.add(&"long".repeat(20), &mut node),
                None => {}
            }
        }
        for n in 0..staying {
            prop_assert!(seen.contains(&stays(n)), "{} was not returned", stays(n));
        }
    }
}

/// How often each was drawn must not be farther from the same for all than chance makes it.
fn assert_fair(drawn: &BTreeMap<String, u64>, elements: usize, what: &str) {
    let draws: u64 = drawn.values().sum();
    let expected = draws as f64 / elements as f64;
    let never = (elements - drawn.len()) as f64 * expected;
    let squares = drawn
        .values()
        .map(|&times| (times as f64 - expected).powi(2) / expected);
    let distance = squares.sum::<f64>() + never;
    // What chi squared is below in all but one of some million cases (Wilson and Hilferty).
    let freedom = (elements - 1) as f64;
    let spread = 2.0 / (9.0 * freedom);
    let most = freedom * (1.0 - spread + 5.0 * spread.sqrt()).powi(3);
    assert!(
        distance < most,
        "{what} of {elements}: {distance} is above {most}"
    );
}

#[test]
fn what_is_drawn_has_the_same_chance_each() {
    let draws = [
        ("HSET", "HRANDFIELD k"),
        ("HSET", "HRANDFIELD k 3"),
        ("HSET", "HRANDFIELD k -3"),
        ("SADD", "SRANDMEMBER k"),
        ("SADD", "SRANDMEMBER k 3"),
        ("SADD", "SRANDMEMBER k -3"),
        ("SADD", "SPOP k"),
        ("SADD", "SPOP k 3"),
        ("ZADD", "ZRANDMEMBER k"),
        ("ZADD", "ZRANDMEMBER k 3"),
        ("ZADD", "ZRANDMEMBER k -3"),
        ("SET", "RANDOMKEY"),
    ];
    for elements in [7, 100, 1000] {
        for (make, draw) in draws {
            let mut node = Node::new();
            let name = |n: usize| format!("element{}", n * n);
            for n in 0..elements {
                match make {
                    "HSET" => node.ask(["HSET", "k", &name(n), "v"]),
                    "SADD" => node.ask(["SADD", "k", &name(n)]),
                    "ZADD" => node.ask(["ZADD", "k", "1", &name(n)]),
                    _ => node.ask(["SET", &name(n), "v"]),
                };
            }
            let mut drawn = BTreeMap::new();
            for _ in 0..elements * 20 {
                let found = node.say(draw);
                if draw.starts_with("SPOP") {
                    let back = ["SADD", "k"]
                        .into_iter()
                        .chain(found.iter().map(String::as_str));
                    node.ask(back);
                }
                for element in found {
                    *drawn.entry(element).or_insert(0) += 1;
                }
            }
            assert_fair(&drawn, elements, draw);
        }
    }
}
