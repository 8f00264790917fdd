//! What groups do by themselves: it happens once, and comes back from the log as it was lived.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use std::collections::BTreeMap;

use node::Node;
use proptest::prelude::*;

/// What is compared between a server and one that was given its log.
const LOOK: [&str; 7] = [
    "XLEN s",
    "XPENDING s g - + 9",
    "XGROUP GETCFG s g",
    "XRANGE dead - +",
    "XPENDING s g",
    "DEBUG DIGEST-VALUE s",
    "DEBUG DIGEST-VALUE dead",
];

/// A stream with a group that moves entries to `dead` when they were delivered twice.
fn twice() -> Node {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s g 0 MKSTREAM");
    let set = node.ask("XGROUP SETCFG s g MAXDELIVERIES 2 DEADLETTER dead");
    assert_eq!(set, "+OK\r\n");
    node.ask("XADD s 1-1 f v");
    node.ask("XADD s 1-2 f w");
    node
}

/// The dead letters, as the IDs of what they were and their reasons.
fn dead(node: &mut Node) -> Vec<(String, String)> {
    let reply = node.ask("XRANGE dead - +");
    let mut lines = reply.split("\r\n").filter(|line| !line.starts_with('$'));
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        match line {
            "dlq-id" => found.push((lines.next().unwrap().to_owned(), String::new())),
            "dlq-reason" => found.last_mut().unwrap().1 = lines.next().unwrap().to_owned(),
            _ => {}
        }
    }
    found
}

#[test]
fn every_way_of_delivery_ends_in_the_dead_letter_stream() {
    let ways = [
        "XREADGROUP GROUP g bob CLAIM 0 STREAMS s >",
        "XREADGROUP GROUP g bob STREAMS s >",
        "XCLAIM s g bob 0 1-1 1-2",
        "XCLAIM s g bob 0 1-2 1-1",
        "XAUTOCLAIM s g bob 0 0",
    ];
    for way in ways {
        let mut node = twice();
        node.ask("XGROUP SETCFG s g CLAIM 10");
        node.ask("XREADGROUP GROUP g ann STREAMS s >");
        node.wait(10);
        let again = node.ask(way);
        assert!(
            again.contains("1-1") && again.contains("1-2"),
            "{way}: {again}"
        );
        // The history and JUSTID are no deliveries.
        node.ask("XCLAIM s g ann 0 1-1 1-2 JUSTID");
        node.ask("XAUTOCLAIM s g bob 0 0 JUSTID");
        assert_eq!(dead(&mut node), []);
        node.wait(10);
        let third = node.ask(way);
        assert!(!third.contains("1-1"), "{way}: {third}");
        let mut letters = dead(&mut node);
        letters.sort();
        let reason = "deliveries".to_owned();
        let both = ["1-1", "1-2"].map(|id| (id.to_owned(), reason.clone()));
        assert_eq!(letters, both, "{way}");
        assert!(node.ask("XPENDING s g").starts_with("*4\r\n:0\r\n"));
        node.same(&LOOK);
    }
}

#[test]
fn a_dead_letter_says_where_it_comes_from() {
    let mut node = twice();
    node.ask("XREADGROUP GROUP g ann COUNT 1 STREAMS s >");
    assert_eq!(node.ask("XNACK s g FATAL IDS 1 1-1"), ":1\r\n");
    let letter = node.ask("XRANGE dead - +");
    let texts: Vec<&str> = letter
        .split("\r\n")
        .filter(|line| !line.starts_with(['$', '*']))
        .collect();
    let expected = "dlq-stream s dlq-group g dlq-id 1-1 dlq-deliveries 1 dlq-consumer ann \
                    dlq-reason fatal f v ";
    assert_eq!(texts[1..].join(" "), expected);
    node.same(&LOOK);
    // One that nobody had.
    assert_eq!(node.ask("XNACK s g FATAL IDS 2 1-2 9-9 FORCE"), ":1\r\n");
    assert_eq!(dead(&mut node).len(), 2);
    assert_eq!(
        node.ask("XPENDING s g"),
        "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"
    );
    node.same(&LOOK);
}

#[test]
fn what_cannot_be_moved_stays_pending_and_is_given_to_nobody() {
    let mut node = twice();
    node.ask("SET dead text");
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XAUTOCLAIM s g bob 0 0");
    for way in [
        "XREADGROUP GROUP g bob CLAIM 0 STREAMS s >",
        "XCLAIM s g bob 0 1-1 1-2",
        "XAUTOCLAIM s g bob 0 0",
    ] {
        let reply = node.ask(way);
        assert!(!reply.contains("1-1"), "{way}: {reply}");
        assert!(node.ask("XPENDING s g").starts_with("*4\r\n:2\r\n"));
    }
    assert_eq!(node.ask("XNACK s g FATAL IDS 1 1-1"), ":1\r\n");
    assert!(node.ask("XPENDING s g").starts_with("*4\r\n:2\r\n"));
    // The last possible ID is taken.
    node.ask("DEL dead");
    node.ask("XADD dead 18446744073709551615-18446744073709551615 f v");
    node.ask("XAUTOCLAIM s g bob 0 0");
    assert!(node.ask("XPENDING s g").starts_with("*4\r\n:2\r\n"));
    // So is the key of the stream itself.
    node.ask("DEL dead");
    node.ask("RENAME s dead");
    node.ask("XAUTOCLAIM dead g bob 0 0");
    assert_eq!(node.ask("XLEN dead"), ":2\r\n");
    assert!(node.ask("XPENDING dead g").starts_with("*4\r\n:2\r\n"));
    node.ask("RENAME dead s");
    node.ask("XAUTOCLAIM s g bob 0 0");
    assert_eq!(dead(&mut node).len(), 2);
    node.same(&LOOK);
}

#[test]
fn settings_that_would_lose_entries_are_refused() {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s g 0 MKSTREAM");
    node.ask("SET text t");
    let refused = [
        (
            "MAXDELIVERIES 2",
            "-ERR MAXDELIVERIES needs a DEADLETTER stream\r\n",
        ),
        (
            "DEADLETTER s",
            "-ERR a stream cannot be its own dead-letter stream\r\n",
        ),
        (
            "DEADLETTER text",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ];
    for (settings, error) in refused {
        assert_eq!(node.ask(&format!("XGROUP SETCFG s g {settings}")), error);
    }
    let long = "k".repeat(512);
    assert_eq!(
        node.ask(&format!("XGROUP SETCFG s g DEADLETTER {long}")),
        "+OK\r\n"
    );
    let error = "-ERR DEADLETTER must have at most 512 bytes\r\n";
    assert_eq!(
        node.ask(&format!("XGROUP SETCFG s g DEADLETTER {long}k")),
        error
    );
    node.ask("XGROUP SETCFG s g MAXDELIVERIES 2");
    let error = "-ERR MAXDELIVERIES needs a DEADLETTER stream\r\n";
    assert_eq!(node.ask("XGROUP SETCFG s g DEADLETTER "), error);
    let set = node.ask("XGROUP SETCFG s g DEADLETTER  MAXDELIVERIES 0");
    assert_eq!(set, "+OK\r\n");
}

#[test]
fn whoever_sets_a_dead_letter_stream_must_be_allowed_to_write_there() {
    let mut node = twice();
    node.ask("ACL SETUSER worker on nopass ~s ~mine +@all");
    node.ask("AUTH worker any");
    let denied = node.ask("XGROUP SETCFG s g DEADLETTER dead");
    assert!(denied.starts_with("-NOPERM"), "{denied}");
    assert_eq!(node.ask("XGROUP SETCFG s g DEADLETTER mine"), "+OK\r\n");
    // Reading moves entries there without that.
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XNACK s g FATAL IDS 1 1-1");
    assert_eq!(node.ask("XLEN mine"), ":1\r\n");
    // Nothing goes where the caller may not write, whatever a dead letter says.
    for request in ["XREDRIVE mine other", "XREDRIVE dead s"] {
        let denied = node.ask(request);
        assert!(denied.starts_with("-NOPERM"), "{request}: {denied}");
    }
}

#[test]
fn one_command_moves_no_more_than_it_may() {
    let mut node = twice();
    for _ in 0..1500 {
        node.ask("XADD s * f v");
    }
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XAUTOCLAIM s g bob 0 0 COUNT 2000");
    for (moved, left) in [(1000, 502), (1502, 0)] {
        let read = node.ask("XREADGROUP GROUP g bob CLAIM 0 STREAMS s >");
        assert_eq!(read, "*-1\r\n");
        assert_eq!(node.ask("XLEN dead"), format!(":{moved}\r\n"));
        let pending = node.ask("XPENDING s g");
        assert!(
            pending.starts_with(&format!("*4\r\n:{left}\r\n")),
            "{pending}"
        );
    }
    // It looks at few more: what is behind them is given by the next one.
    let mut node = twice();
    for _ in 0..1500 {
        node.ask("XADD s * f v");
    }
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XAUTOCLAIM s g bob 0 0 COUNT 2000");
    node.wait(10);
    node.ask("XADD s 9999999999999-1 f behind");
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    let mut read = || node.ask("XREADGROUP GROUP g bob CLAIM 0 STREAMS s >");
    assert_eq!(read(), "*-1\r\n");
    assert!(read().contains("behind"));
    // Of large ones a few.
    let mut node = twice();
    let large = "x".repeat(700_000);
    for _ in 0..3 {
        node.ask(&format!("XADD s * f {large}"));
    }
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XNACK s g FAIL IDS 2 1-1 1-2");
    node.ask("XACK s g 1-1 1-2");
    node.ask("XAUTOCLAIM s g bob 0 0");
    for moved in [2, 3] {
        node.ask("XAUTOCLAIM s g bob 0 0");
        assert_eq!(node.ask("XLEN dead"), format!(":{moved}\r\n"));
    }
    node.ask("XREDRIVE dead s");
    assert_eq!(node.ask("XLEN dead"), ":1\r\n");
    node.ask("XREDRIVE dead s");
    assert_eq!(node.ask("XLEN dead"), ":0\r\n");
}

#[test]
fn a_redrive_puts_back_once_what_belongs_there() {
    let mut node = twice();
    node.ask("XADD dead 1-1 f not-a-letter");
    node.ask("XADD dead 1-2 dlq-stream s dlq-group g dlq-id 1-1 dlq-deliveries 1 dlq-consumer c dlq-reason r");
    node.ask("XADD dead 1-3 dlq-stream s dlq-group g dlq-id x dlq-deliveries 1 dlq-consumer c dlq-reason r f v");
    node.ask("XADD dead 1-4 dlq-stream s dlq-group none dlq-id 1-1 dlq-deliveries 1 dlq-consumer c dlq-reason r f v");
    node.ask("XADD dead 1-5 dlq-stream t dlq-group g dlq-id 1-1 dlq-deliveries 1 dlq-consumer c dlq-reason r f v");
    assert_eq!(node.ask("XREDRIVE dead s"), "*2\r\n$3\r\n0-0\r\n*0\r\n");
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XNACK s g FATAL IDS 2 1-1 1-2");
    node.ask("COPY dead copy");
    // One of them is gone from the stream.
    node.ask("XDEL s 1-2");
    let back = node.ask("XREDRIVE dead s GROUP g COUNT 1");
    assert!(
        back.starts_with("*2\r\n$15\r\n") && back.contains("*1\r\n"),
        "{back}"
    );
    node.same(&LOOK);
    let back = node.ask("XREDRIVE dead s GROUP other");
    assert!(back.ends_with("*0\r\n"), "{back}");
    let back = node.ask("XREDRIVE dead s");
    assert!(back.contains("0-0") && back.contains("*1\r\n"), "{back}");
    assert_eq!(node.ask("XLEN dead"), ":5\r\n");
    assert_eq!(node.ask("XLEN s"), ":2\r\n");
    node.same(&LOOK);
    // Again, of a copy: the first is pending already.
    let before = node.ask("XINFO STREAM s FULL");
    let id = node.ask("XRANGE copy - + COUNT 6");
    let id = id.split("\r\n").filter(|line| line.ends_with("-0")).last();
    let id = id.unwrap().to_owned();
    let again = node.ask(&format!("XREDRIVE copy s IDS 2 {id} {id}"));
    assert!(again.contains(&id), "{again}");
    assert_eq!(node.ask("XINFO STREAM s FULL"), before);
    let claimed = node.ask("XREADGROUP GROUP g bob CLAIM 0 STREAMS s >");
    assert!(claimed.contains("$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n:-1\r\n:0\r\n"));
    assert!(claimed.contains("$1\r\nw\r\n"), "{claimed}");
}

#[test]
fn a_touch_renews_only_what_the_consumer_holds() {
    let mut node = twice();
    node.ask("XREADGROUP GROUP g ann COUNT 1 STREAMS s >");
    node.ask("XREADGROUP GROUP g bob STREAMS s >");
    node.wait(500);
    assert_eq!(node.ask("XTOUCH s g ann 1-2 1-1"), "*1\r\n$3\r\n1-1\r\n");
    node.same(&LOOK);
    node.wait(500);
    let claimed = node.ask("XAUTOCLAIM s g eve 1000 0 JUSTID");
    assert_eq!(claimed, "*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n1-2\r\n*0\r\n");
    node.same(&LOOK);
}

#[test]
fn a_consumer_is_given_no_more_than_it_may_have() {
    let mut node = twice();
    node.ask("XADD s 1-3 f x");
    node.ask("XGROUP SETCFG s g MAXPENDING 2");
    let count = |node: &mut Node, consumer: &str| {
        let pending = node.ask(&format!("XPENDING s g - + 9 {consumer}"));
        pending.matches("*4\r\n").count()
    };
    node.ask("XREADGROUP GROUP g ann COUNT 1 STREAMS s >");
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    assert_eq!(count(&mut node, "ann"), 2);
    // Its own entries again, but no others, and new ones where they are not pending.
    node.wait(10);
    let own = node.ask("XREADGROUP GROUP g ann CLAIM 10 STREAMS s >");
    assert!(
        own.contains("1-1") && own.contains("1-2") && !own.contains("1-3"),
        "{own}"
    );
    node.ask("XREADGROUP GROUP g bob COUNT 1 STREAMS s >");
    node.wait(10);
    node.ask("XACK s g 1-2");
    let one = node.ask("XREADGROUP GROUP g ann CLAIM 10 MAXSIZE 9999 STREAMS s >");
    assert!(one.contains("1-3"), "{one}");
    assert_eq!((count(&mut node, "ann"), count(&mut node, "bob")), (1, 0));
    node.ask("XADD s 1-4 f y");
    node.ask("XADD s 1-5 f z");
    let bounded = node.ask("XREADGROUP GROUP g ann MAXSIZE 9999 STREAMS s >");
    assert!(
        bounded.contains("1-4") && !bounded.contains("1-5"),
        "{bounded}"
    );
    let waived = node.ask("XREADGROUP GROUP g ann NOACK STREAMS s >");
    assert!(waived.contains("1-5"), "{waived}");
    node.same(&LOOK);
}

#[test]
fn entries_of_a_deleted_consumer_are_kept_if_asked_for() {
    let mut node = twice();
    node.ask("XREADGROUP GROUP g ann STREAMS s >");
    node.ask("XCLAIM s g ann 0 1-2");
    assert_eq!(node.ask("XGROUP DELCONSUMER s g ann KEEPPENDING"), ":2\r\n");
    let pending = node.ask("XPENDING s g - + 9");
    let given_back =
        |id: &str, count: u8| format!("*4\r\n$3\r\n{id}\r\n$0\r\n\r\n:-1\r\n:{count}\r\n");
    assert_eq!(
        pending,
        format!("*2\r\n{}{}", given_back("1-1", 1), given_back("1-2", 2))
    );
    node.same(&LOOK);
}

/// What a client does to a group whose entries may be delivered twice.
#[derive(Clone, Debug)]
enum Step {
    Add,
    Read(u8),
    ReadIdle(u8),
    Claim(u8),
    Scan(u8),
    Acknowledge(u8),
    GiveBack(&'static str, u8),
    Redrive(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop::sample::select(vec!["SILENT", "FAIL", "FATAL"]);
    prop_oneof![
        3 => Just(Step::Add),
        2 => (1..4u8).prop_map(Step::Read),
        2 => (1..4u8).prop_map(Step::ReadIdle),
        2 => any::<u8>().prop_map(Step::Claim),
        1 => (1..4u8).prop_map(Step::Scan),
        1 => any::<u8>().prop_map(Step::Acknowledge),
        2 => (mode, any::<u8>()).prop_map(|(mode, which)| Step::GiveBack(mode, which)),
        1 => (1..4u8).prop_map(Step::Redrive),
    ]
}

/// Where an entry is: in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    New,
    /// Pending, delivered this often.
    Pending(u64),
    Acknowledged,
    Dead,
}

proptest! {
    #[test]
    fn an_entry_is_new_or_pending_or_acknowledged_or_dead(steps in prop::collection::vec(step(), 1..60)) {
        let mut node = Node::new();
        node.ask("XGROUP CREATE s g 0 MKSTREAM");
        node.ask("XGROUP SETCFG s g MAXDELIVERIES 2 DEADLETTER dead");
        let mut model: BTreeMap<u64, Place> = BTreeMap::new();
        for step in steps {
            let some = |which: u8| 1 + u64::from(which) % (model.len() as u64 + 1);
            // What a way of delivery may hand out; which of them it does is in its reply.
            let request = match step {
                Step::Add => format!("XADD s {}-0 f v", model.len() + 1),
                Step::Read(count) => format!("XREADGROUP GROUP g ann COUNT {count} STREAMS s >"),
                Step::ReadIdle(count) => {
                    format!("XREADGROUP GROUP g bob COUNT {count} CLAIM 0 STREAMS s >")
                }
                Step::Claim(which) => format!("XCLAIM s g bob 0 {}-0", some(which)),
                Step::Scan(count) => format!("XAUTOCLAIM s g eve 0 0 COUNT {count}"),
                Step::Acknowledge(which) => format!("XACK s g {}-0", some(which)),
                Step::GiveBack(mode, which) => {
                    format!("XNACK s g {mode} IDS 1 {}-0", some(which))
                }
                Step::Redrive(count) => format!("XREDRIVE dead s COUNT {count}"),
            };
            let letters_before = dead(&mut node);
            let reply = node.ask(&request);
            let letters = dead(&mut node);
            let number = |id: &str| id.split('-').next().unwrap().parse::<u64>().unwrap();
            let delivers = matches!(
                step,
                Step::Read(_) | Step::ReadIdle(_) | Step::Claim(_) | Step::Scan(_)
            );
            if delivers {
                let ids = reply.split("\r\n").filter(|line| line.ends_with("-0"));
                // A scan says first where to go on.
                for id in ids.skip(usize::from(matches!(step, Step::Scan(_)))) {
                    let place = model.get_mut(&number(id)).unwrap();
                    *place = match (*place, &step) {
                        (Place::New, Step::Read(_) | Step::ReadIdle(_)) => Place::Pending(1),
                        (Place::Pending(count), _) if count < 2 => Place::Pending(count + 1),
                        (place, _) => panic!("{id} was {place:?}, and is delivered by {request}"),
                    };
                }
                for (id, _) in letters.iter().filter(|letter| !letters_before.contains(letter)) {
                    let place = model.insert(number(id), Place::Dead);
                    prop_assert!(matches!(place, Some(Place::Pending(2..))), "{place:?}");
                }
            }
            match step {
                Step::Add => {
                    model.insert(model.len() as u64 + 1, Place::New);
                }
                Step::Acknowledge(_) | Step::GiveBack(..) => {
                    let id = request.split(' ').next_back().map(number).unwrap();
                    if let Some(Place::Pending(count)) = model.get(&id).copied() {
                        let after = match step {
                            Step::GiveBack("FATAL", _) => Place::Dead,
                            Step::GiveBack("SILENT", _) => Place::Pending(count.saturating_sub(1)),
                            Step::GiveBack(..) => Place::Pending(count),
                            _ => Place::Acknowledged,
                        };
                        model.insert(id, after);
                    }
                }
                Step::Redrive(count) => {
                    let back = letters_before.iter().take(usize::from(count));
                    for (id, _) in back {
                        prop_assert_eq!(model.insert(number(id), Place::Pending(0)), Some(Place::Dead));
                    }
                }
                _ => {}
            }
            let mut dead_now: Vec<u64> = letters.iter().map(|(id, _)| number(id)).collect();
            dead_now.sort_unstable();
            let is_dead = model.iter().filter(|(_, place)| **place == Place::Dead);
            prop_assert_eq!(dead_now, is_dead.map(|(id, _)| *id).collect::<Vec<_>>(), "{}", request);
            for (id, place) in &model {
                let found = node.ask(&format!("XPENDING s g {id}-0 {id}-0 1"));
                let count = match place {
                    Place::Pending(count) => found.ends_with(&format!(":{count}\r\n")),
                    _ => found == "*0\r\n",
                };
                prop_assert!(count, "{} is {:?}: {}", id, place, found);
            }
        }
        node.same(&LOOK);
    }
}
