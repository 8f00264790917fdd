//! Entries that come back wait before they are given again, longer each time.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use std::collections::BTreeMap;

use node::Node;
use proptest::prelude::*;

/// What is compared between a server and one that was given its log.
const LOOK: [&str; 3] = [
    "XPENDING s g - + 99",
    "XGROUP GETCFG s g",
    "DEBUG DIGEST-VALUE s",
];

const CLAIM_MS: u64 = 50;
const FIRST_MS: u64 = 20;
const MAX_MS: u64 = 100;

fn group() -> Node {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s g 0 MKSTREAM");
    let set = format!("XGROUP SETCFG s g CLAIM {CLAIM_MS} BACKOFF {FIRST_MS} {MAX_MS}");
    assert_eq!(node.ask(&set), "+OK\r\n");
    node
}

/// The IDs of the entries in a reply.
fn ids(reply: &str) -> Vec<u64> {
    let ids = reply
        .split("\r\n")
        .filter_map(|line| line.strip_suffix("-0"));
    ids.map(|id| id.parse().unwrap()).collect()
}

fn read(node: &mut Node, consumer: &str) -> Vec<u64> {
    ids(&node.ask(&format!("XREADGROUP GROUP g {consumer} STREAMS s >")))
}

/// The idle time that `XPENDING` shows of an entry.
fn shown_idle(node: &mut Node, id: u64) -> i64 {
    let reply = node.ask(&format!("XPENDING s g {id}-0 {id}-0 1"));
    let number = reply.split("\r\n").find_map(|line| line.strip_prefix(':'));
    number.unwrap().parse().unwrap()
}

#[test]
fn each_try_is_followed_by_a_longer_pause() {
    let mut node = group();
    node.ask("XADD s 1-0 f v");
    assert_eq!(read(&mut node, "ann"), [1]);
    for pause_ms in [20, 40, 80, 100, 100] {
        assert_eq!(node.ask("XNACK s g FAIL IDS 1 1-0"), ":1\r\n");
        assert_eq!(shown_idle(&mut node, 1), -pause_ms);
        node.same(&LOOK);
        node.wait(pause_ms as u64 - 1);
        assert_eq!(read(&mut node, "ann"), []);
        node.wait(1);
        assert_eq!(shown_idle(&mut node, 1), -1);
        assert_eq!(read(&mut node, "ann"), [1]);
    }
    // What did not count, and what a client wants at once, waits for nothing.
    for request in [
        "XNACK s g SILENT IDS 1 1-0 RETRYCOUNT 0",
        "XNACK s g FAIL IDS 1 1-0 DELAY 0",
        "XNACK s g FAIL IDS 1 1-0 AT 0",
    ] {
        node.ask(request);
        node.same(&LOOK);
        assert_eq!(read(&mut node, "ann"), [1], "{request}");
    }
    // Switched off, only what is given back from now on.
    node.ask("XNACK s g FAIL IDS 1 1-0 DELAY 500");
    node.ask("XGROUP SETCFG s g BACKOFF 0 0");
    node.wait(499);
    assert_eq!(read(&mut node, "ann"), []);
    node.wait(1);
    assert_eq!(read(&mut node, "ann"), [1]);
    node.ask("XNACK s g FAIL IDS 1 1-0");
    assert_eq!(read(&mut node, "ann"), [1]);
    node.same(&LOOK);
}

#[test]
fn what_was_held_for_too_long_is_the_groups_until_its_pause_is_over() {
    let mut node = group();
    node.ask("XADD s 1-0 f v");
    node.ask("XADD s 2-0 f v");
    assert_eq!(read(&mut node, "ann"), [1, 2]);
    node.ask("XTOUCH s g ann 2-0");
    node.wait(CLAIM_MS);
    assert_eq!(read(&mut node, "bob"), []);
    assert_eq!(shown_idle(&mut node, 1), -(FIRST_MS as i64));
    // It can be acknowledged, but no longer renewed.
    assert_eq!(node.ask("XTOUCH s g ann 1-0 2-0"), "*0\r\n");
    node.same(&LOOK);
    node.wait(FIRST_MS);
    assert_eq!(read(&mut node, "bob"), [1, 2]);
    node.same(&LOOK);
    // Nobody looked when its time was over: it waits no longer than it would have.
    node.wait(CLAIM_MS + 2 * FIRST_MS);
    assert_eq!(read(&mut node, "bob"), [1, 2]);
    node.same(&LOOK);
}

#[test]
fn who_claims_by_other_words_goes_by_them() {
    let mut node = group();
    for number in 1..=3 {
        node.ask(&format!("XADD s {number}-0 f v"));
    }
    read(&mut node, "ann");
    node.ask("XNACK s g FAIL IDS 3 1-0 2-0 3-0");
    // A read goes by the pause, whatever it says of the idle time.
    let claim = node.ask("XREADGROUP GROUP g bob CLAIM 0 STREAMS s >");
    assert_eq!(claim, "*-1\r\n");
    assert_eq!(node.ask("XPENDING s g IDLE 1 - + 9"), "*0\r\n");
    assert_eq!(ids(&node.ask("XPENDING s g - + 9")), [1, 2, 3]);
    // The others are told what to take.
    assert_eq!(ids(&node.ask("XCLAIM s g bob 1000 1-0")), [1]);
    assert_eq!(
        ids(&node.ask("XAUTOCLAIM s g bob 1000 0 COUNT 1"))[1..],
        [2]
    );
    node.same(&LOOK);
    node.wait(FIRST_MS);
    let claim = node.ask("XREADGROUP GROUP g bob CLAIM 1000 STREAMS s >");
    assert!(claim.contains(":-1\r\n:1\r\n"), "{claim}");
    assert_eq!(ids(&claim), [3]);
}

#[test]
fn a_dead_letter_does_not_wait() {
    let mut node = group();
    node.ask("XGROUP SETCFG s g MAXDELIVERIES 2 DEADLETTER dead");
    node.ask("XADD s 1-0 f v");
    node.ask("XADD s 2-0 f v");
    read(&mut node, "ann");
    node.ask("XNACK s g FAIL IDS 2 1-0 2-0");
    node.wait(FIRST_MS);
    assert_eq!(read(&mut node, "ann"), [1, 2]);
    // One is given back, one is held for too long.
    node.ask("XNACK s g FAIL IDS 1 1-0");
    assert_eq!(read(&mut node, "ann"), []);
    assert_eq!(node.ask("XLEN dead"), ":1\r\n");
    node.wait(CLAIM_MS);
    assert_eq!(read(&mut node, "ann"), []);
    assert_eq!(node.ask("XLEN dead"), ":2\r\n");
    node.same(&LOOK);
}

#[test]
fn one_read_begins_a_bounded_number_of_pauses() {
    use engine::limits::CLAIM_PAUSED_MAX;
    let mut node = group();
    for number in 1..=CLAIM_PAUSED_MAX + 1 {
        node.ask(&format!("XADD s {number}-0 f v"));
    }
    read(&mut node, "ann");
    node.wait(CLAIM_MS);
    for left in [1, 0] {
        assert_eq!(read(&mut node, "bob"), []);
        let held = node.ask("XPENDING s g - + 9999 ann");
        assert_eq!(ids(&held).len(), left);
    }
    node.same(&LOOK);
}

#[test]
fn pauses_go_where_the_stream_goes() {
    let mut node = group();
    node.ask("XADD s 1-0 f v");
    node.ask("XADD s 2-0 f v");
    read(&mut node, "ann");
    node.ask("XNACK s g FAIL IDS 2 2-0 1-0 DELAY 500");
    let digest = node.ask("DEBUG DIGEST-VALUE s");
    node.ask("COPY s copy");
    node.ask("RENAME copy renamed");
    assert_eq!(node.ask("DEBUG DIGEST-VALUE renamed"), digest);
    node.same(&["DEBUG DIGEST-VALUE renamed"]);
    node.ask("XNACK s g FAIL IDS 1 1-0 DELAY 400");
    assert_ne!(node.ask("DEBUG DIGEST-VALUE s"), digest);
    node.wait(450);
    assert_eq!(read(&mut node, "ann"), [1]);
}

/// What becomes of an entry, in its simplest form.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    New,
    Held { by: u8, since_ms: u64, count: u64 },
    GivenBack { until_ms: u64, count: u64 },
    Acknowledged,
}

#[derive(Clone, Debug)]
enum Step {
    Add,
    Read(u8, usize),
    Acknowledge(u8),
    GiveBack(&'static str, u8, Option<u64>),
    Claim(u8, u8),
    Touch(u8, u8),
    Leave(u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop::sample::select(vec!["SILENT", "FAIL"]);
    prop_oneof![
        3 => Just(Step::Add),
        5 => (0..3u8, 1..4usize).prop_map(|(by, count)| Step::Read(by, count)),
        1 => any::<u8>().prop_map(Step::Acknowledge),
        3 => (mode, any::<u8>(), prop::option::weighted(0.3, 0..60u64))
            .prop_map(|(mode, which, delay)| Step::GiveBack(mode, which, delay)),
        1 => (0..3u8, any::<u8>()).prop_map(|(by, which)| Step::Claim(by, which)),
        2 => (0..3u8, any::<u8>()).prop_map(|(by, which)| Step::Touch(by, which)),
        1 => (0..3u8).prop_map(Step::Leave),
        5 => (1..60u64).prop_map(Step::Wait),
    ]
}

fn pause_ms(count: u64) -> u64 {
    match count {
        0 => 0,
        1.. => (FIRST_MS << (count - 1).min(9)).min(MAX_MS),
    }
}

/// Entries by number, with the order in which each came where it is.
#[derive(Default)]
struct Model {
    entries: BTreeMap<u64, (Place, u64)>,
    moves: u64,
    now_ms: u64,
}

impl Model {
    fn put(&mut self, number: u64, place: Place) {
        self.moves += 1;
        self.entries.insert(number, (place, self.moves));
    }

    /// What a read is given, in order.
    fn read(&mut self, by: u8, most: usize) -> Vec<u64> {
        let (mut given_back, mut held) = (Vec::new(), Vec::new());
        for (number, (place, moved)) in &self.entries {
            match place {
                Place::GivenBack { until_ms, .. } if *until_ms <= self.now_ms => {
                    // Those without a pause come behind those whose pause is over.
                    given_back.push((*until_ms == 0, *until_ms, *moved, *number));
                }
                Place::Held { since_ms, .. } if since_ms + CLAIM_MS <= self.now_ms => {
                    held.push((*since_ms, *moved, *number));
                }
                _ => {}
            }
        }
        given_back.sort_unstable();
        held.sort_unstable();
        let back = given_back.into_iter().map(|(.., number)| number);
        let old: Vec<u64> = back
            .chain(held.into_iter().map(|(.., number)| number))
            .collect();
        let mut given = Vec::new();
        for number in old {
            if given.len() == most {
                break;
            }
            let count = match self.entries[&number].0 {
                Place::GivenBack { count, .. } => count,
                Place::Held {
                    since_ms, count, ..
                } => {
                    let until_ms = since_ms + CLAIM_MS + pause_ms(count);
                    if until_ms > self.now_ms {
                        self.put(number, Place::GivenBack { until_ms, count });
                        continue;
                    }
                    count
                }
                _ => unreachable!(),
            };
            given.push((number, count));
        }
        let new = self
            .entries
            .iter()
            .filter(|(_, (place, _))| *place == Place::New);
        let new: Vec<u64> = new.map(|(number, _)| *number).collect();
        given.extend(
            new.into_iter()
                .take(most - given.len())
                .map(|number| (number, 0)),
        );
        for (number, count) in &given {
            let (since_ms, count) = (self.now_ms, count + 1);
            self.put(
                *number,
                Place::Held {
                    by,
                    since_ms,
                    count,
                },
            );
        }
        given.into_iter().map(|(number, _)| number).collect()
    }

    fn give_back(&mut self, number: u64, delay_ms: Option<u64>, change: impl Fn(u64) -> u64) {
        let count = match self.entries.get(&number).map(|it| &it.0) {
            Some(Place::Held { count, .. } | Place::GivenBack { count, .. }) => change(*count),
            _ => return,
        };
        let until_ms = match delay_ms.unwrap_or(pause_ms(count)) {
            0 => 0,
            ms => self.now_ms + ms,
        };
        self.put(number, Place::GivenBack { until_ms, count });
    }
}

proptest! {
    #[test]
    fn an_entry_is_given_when_its_pause_is_over_and_none_is_lost(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut node = group();
        let mut model = Model { now_ms: 1000, ..Model::default() };
        for step in steps {
            let len = model.entries.len() as u64;
            let some = |which: u8| 1 + u64::from(which) % (len + 1);
            match step.clone() {
                Step::Add => {
                    node.ask(&format!("XADD s {}-0 f v", len + 1));
                    model.put(len + 1, Place::New);
                }
                Step::Read(by, most) => {
                    let reply = node.ask(&format!("XREADGROUP GROUP g c{by} COUNT {most} STREAMS s >"));
                    prop_assert_eq!(ids(&reply), model.read(by, most));
                }
                Step::Acknowledge(which) => {
                    node.ask(&format!("XACK s g {}-0", some(which)));
                    if let Some((place, _)) = model.entries.get_mut(&some(which))
                        && *place != Place::New
                    {
                        *place = Place::Acknowledged;
                    }
                }
                Step::GiveBack(mode, which, delay_ms) => {
                    let delay = delay_ms.map_or(String::new(), |ms| format!(" DELAY {ms}"));
                    node.ask(&format!("XNACK s g {mode} IDS 1 {}-0{delay}", some(which)));
                    let less = u64::from(mode == "SILENT");
                    model.give_back(some(which), delay_ms, |count| count.saturating_sub(less));
                }
                Step::Claim(by, which) => {
                    let number = some(which);
                    let claimed = node.ask(&format!("XCLAIM s g c{by} 0 {number}-0"));
                    let count = match model.entries.get(&number).map(|it| &it.0) {
                        Some(Place::Held { count, .. } | Place::GivenBack { count, .. }) => count + 1,
                        _ => continue,
                    };
                    prop_assert_eq!(ids(&claimed), [number]);
                    let since_ms = model.now_ms;
                    model.put(number, Place::Held { by, since_ms, count });
                }
                Step::Touch(by, which) => {
                    let number = some(which);
                    let touched = node.ask(&format!("XTOUCH s g c{by} {number}-0"));
                    let since_ms = model.now_ms;
                    match model.entries.get(&number).map(|it| it.0.clone()) {
                        Some(Place::Held { by: holder, count, .. }) if holder == by => {
                            prop_assert_eq!(ids(&touched), [number]);
                            model.put(number, Place::Held { by, since_ms, count });
                        }
                        _ => prop_assert_eq!(touched, "*0\r\n"),
                    }
                }
                Step::Leave(who) => {
                    node.ask(&format!("XGROUP DELCONSUMER s g c{who} KEEPPENDING"));
                    let held = model.entries.iter();
                    let held = held.filter(|(_, (place, _))| {
                        matches!(place, Place::Held { by, .. } if *by == who)
                    });
                    let held: Vec<u64> = held.map(|(number, _)| *number).collect();
                    held.into_iter().for_each(|number| model.give_back(number, None, |count| count));
                }
                Step::Wait(ms) => {
                    node.wait(ms);
                    model.now_ms += ms;
                }
            }
            for (number, (place, _)) in &model.entries {
                let found = node.ask(&format!("XPENDING s g {number}-0 {number}-0 1"));
                let expected = match place {
                    Place::New | Place::Acknowledged => None,
                    Place::Held { since_ms, count, .. } => {
                        Some(((model.now_ms - since_ms) as i64, *count))
                    }
                    Place::GivenBack { until_ms, count } => {
                        Some((-(until_ms.saturating_sub(model.now_ms).max(1) as i64), *count))
                    }
                };
                let is_so = match expected {
                    None => found == "*0\r\n",
                    Some((idle, count)) => found.ends_with(&format!(":{idle}\r\n:{count}\r\n")),
                };
                prop_assert!(is_so, "{} after {:?}: {:?}, {}", number, step, place, found);
            }
        }
        node.same(&LOOK);
    }
}
