//! Elements that move together are where a plain model has them, and where the journal says.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, VecDeque};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

const KEYS: [&str; 3] = ["a", "b", "c"];

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

struct Node {
    engine: Engine,
    session: SessionId,
}

impl Node {
    fn new() -> Node {
        let mut settings = Settings::default();
        // Few elements, so that lists change their form.
        settings.set("list-max-listpack-size", "8").unwrap();
        let mut engine = Engine::new(settings, 7, NOW, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), NOW);
        Node { engine, session }
    }

    fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), NOW, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    /// Another that was given what this one has logged.
    fn replayed(&mut self) -> Node {
        let mut other = Node::new();
        let mut replay = other.engine.begin_replay(NOW);
        let effects = self.engine.log().encoded().to_vec();
        other
            .engine
            .replay(&mut replay, &effects, Author::Weir)
            .unwrap();
        other
            .engine
            .end_replay(replay, Lsn::new(1), Journalling::On);
        other
    }

    /// All that there is to tell of the keys.
    fn picture(&mut self) -> Vec<String> {
        let asked = ["LRANGE KEY 0 -1", "PEXPIRETIME KEY", "OBJECT ENCODING KEY"];
        let requests = asked
            .iter()
            .flat_map(|asked| KEYS.map(|key| asked.replace("KEY", key)));
        requests.map(|request| self.ask(&request)).collect()
    }
}

fn array(elements: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    let mut text = format!("*{}\r\n", elements.len());
    for element in elements {
        let element = element.as_ref();
        text += &format!("${}\r\n{element}\r\n", element.len());
    }
    text
}

#[derive(Debug, Clone)]
enum Step {
    Push { key: &'static str, count: usize },
    Expire { key: &'static str },
    Move(Move),
}

#[derive(Debug, Clone)]
struct Move {
    command: &'static str,
    from: &'static str,
    to: &'static str,
    end: &'static str,
    to_end: &'static str,
    selector: &'static str,
    count: usize,
    order: &'static str,
}

impl Move {
    fn request(&self) -> String {
        let Move {
            command,
            from,
            to,
            end,
            to_end,
            selector,
            count,
            order,
        } = self;
        let timeout = match *command {
            "BLMOVEM" => " 0",
            _ => "",
        };
        format!("{command} {from} {to} {end} {to_end}{timeout} {selector} {count} {order}")
    }
}

/// Lists of which an element is taken out after the other.
#[derive(Default)]
struct Model {
    lists: BTreeMap<&'static str, VecDeque<String>>,
    pushed: usize,
}

impl Model {
    fn push(&mut self, key: &'static str, count: usize) -> String {
        let numbers = self.pushed..self.pushed + count;
        let elements: Vec<String> = numbers
            .map(|number| match number % 3 {
                0 => number.to_string(),
                1 => format!("element-{number}"),
                _ => format!("{number}-{}", "long".repeat(30)),
            })
            .collect();
        self.pushed += count;
        self.lists.entry(key).or_default().extend(elements.clone());
        format!("RPUSH {key} {}", elements.join(" "))
    }

    /// Returns what was moved, as it is in the destination.
    fn make(&mut self, step: &Move) -> Option<Vec<String>> {
        let source = self.lists.entry(step.from).or_default();
        let is_enough = match step.selector {
            "EXACTLY" => source.len() >= step.count,
            _ => !source.is_empty(),
        };
        if !is_enough {
            return None;
        }
        let count = step.count.min(source.len());
        let mut moved = Vec::new();
        let mut taken = VecDeque::new();
        for _ in 0..count {
            match (step.end, step.order) {
                ("LEFT", _) => taken.push_back(source.pop_front().unwrap()),
                // In bulk, what is at the right is taken as it stands.
                (_, "BULK") => taken.push_front(source.pop_back().unwrap()),
                _ => taken.push_back(source.pop_back().unwrap()),
            }
        }
        if step.order == "BULK" && step.to_end == "LEFT" {
            taken = taken.into_iter().rev().collect();
        }
        let destination = self.lists.entry(step.to).or_default();
        for element in taken {
            match step.to_end {
                "LEFT" => {
                    moved.insert(0, element.clone());
                    destination.push_front(element);
                }
                _ => {
                    moved.push(element.clone());
                    destination.push_back(element);
                }
            }
        }
        Some(moved)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let key = || prop::sample::select(KEYS.to_vec());
    let end = || prop::sample::select(vec!["LEFT", "RIGHT"]);
    let moved = (
        prop::sample::select(vec!["LMOVEM", "BLMOVEM"]),
        (key(), key()),
        (end(), end()),
        prop::sample::select(vec!["COUNT", "EXACTLY"]),
        1..12usize,
        prop::sample::select(vec!["OBO", "BULK"]),
    );
    let moved = moved.prop_map(
        |(command, (from, to), (end, to_end), selector, count, order)| {
            Step::Move(Move {
                command,
                from,
                to,
                end,
                to_end,
                selector,
                count,
                order,
            })
        },
    );
    prop_oneof![
        2 => (key(), 1..10usize).prop_map(|(key, count)| Step::Push { key, count }),
        1 => key().prop_map(|key| Step::Expire { key }),
        5 => moved,
    ]
}

proptest! {
    #[test]
    fn elements_move_as_in_a_model_and_as_the_journal_says(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut node = Node::new();
        let mut model = Model::default();
        for step in steps {
            match &step {
                Step::Push { key, count } => {
                    node.ask(&model.push(key, *count));
                }
                Step::Expire { key } => {
                    node.ask(&format!("PEXPIRE {key} 60000"));
                }
                Step::Move(step) => {
                    let moved = model.make(step);
                    if moved.is_none() && step.command == "BLMOVEM" {
                        // It would wait.
                        continue;
                    }
                    let expected = moved.map_or("*-1\r\n".to_owned(), |moved| array(moved.iter()));
                    prop_assert_eq!(node.ask(&step.request()), expected, "{:?}", step);
                }
            }
            for key in KEYS {
                let list = model.lists.entry(key).or_default();
                prop_assert_eq!(node.ask(&format!("LRANGE {key} 0 -1")), array(list.iter()));
            }
        }
        prop_assert_eq!(node.replayed().picture(), node.picture());
    }

    #[test]
    fn one_by_one_is_what_as_many_single_moves_are_unless_they_take_the_same_element_again(
        len in 1..20usize,
        count in 1..20usize,
        (from, to) in (0..2usize, 0..2usize),
        (end, to_end) in (0..2usize, 0..2usize),
    ) {
        prop_assume!(from != to || end != to_end);
        let ends = ["LEFT", "RIGHT"];
        let (from, to, end, to_end) = (KEYS[from], KEYS[to], ends[end], ends[to_end]);
        let (mut together, mut single) = (Node::new(), Node::new());
        for node in [&mut together, &mut single] {
            let mut model = Model::default();
            node.ask(&model.push(from, len));
            node.ask(&model.push("b", 3));
            node.ask(&format!("PEXPIRE {from} 60000"));
        }
        together.ask(&format!("LMOVEM {from} {to} {end} {to_end} COUNT {count} OBO"));
        let there = single.ask(&format!("LLEN {from}"));
        let there: usize = there[1..].trim_end().parse().unwrap();
        for _ in 0..count.min(there) {
            single.ask(&format!("LMOVE {from} {to} {end} {to_end}"));
        }
        for key in KEYS {
            for asked in ["LRANGE KEY 0 -1", "PEXPIRETIME KEY"] {
                let asked = asked.replace("KEY", key);
                prop_assert_eq!(together.ask(&asked), single.ask(&asked), "{}", asked);
            }
        }
    }
}

#[test]
fn the_journal_has_what_redis_8_6_reads() {
    let mut node = Node::new();
    node.ask("RPUSH a 1 2 3 4");
    node.engine.effects_taken();
    let mut logged = |request: &str| {
        node.ask(request);
        let text = String::from_utf8(node.engine.log().encoded().to_vec()).unwrap();
        node.engine.effects_taken();
        let words = text
            .lines()
            .filter(|line| !line.starts_with(['*', '$', '#']));
        words.collect::<Vec<_>>().join(" ")
    };
    assert!(logged("LMOVEM a b LEFT LEFT COUNT 2 OBO").ends_with("LPOP a 2 LPUSH b 1 2 EXEC"));
    assert!(logged("LMOVEM a b RIGHT LEFT COUNT 2 BULK").ends_with("RPOP a 2 LPUSH b 4 3 EXEC"));
    // All of a list: it is never empty, so it keeps its expiry.
    assert!(logged("LMOVEM b b LEFT LEFT COUNT 9 OBO").ends_with("LPUSH b 3 4 2 1 RPOP b 4 EXEC"));
    assert!(logged("INCREX n BYINT 7 PXAT 1790000060000").ends_with("SET n 7 PXAT 1790000060000"));
    assert!(logged("INCREX n").ends_with("SET n 8 KEEPTTL"));
}
