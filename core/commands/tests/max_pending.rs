//! `MAXPENDING`: a reader is given new entries up to what it may have pending, whatever it got and
//! finished before, and by which words.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use std::collections::BTreeMap;

use node::Node;
use proptest::prelude::*;

/// What a consumer does, of which there are three.
#[derive(Clone, Debug)]
enum Step {
    Add,
    Read { by: u8, count: usize },
    ReadUnpending { by: u8, count: usize },
    Acknowledge(u8),
    GiveBack(u8),
    Claim { by: u8, which: u8 },
    Allow(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Add),
        4 => (0..3u8, 1..5usize).prop_map(|(by, count)| Step::Read { by, count }),
        1 => (0..3u8, 1..5usize).prop_map(|(by, count)| Step::ReadUnpending { by, count }),
        2 => any::<u8>().prop_map(Step::Acknowledge),
        1 => any::<u8>().prop_map(Step::GiveBack),
        2 => (0..3u8, any::<u8>()).prop_map(|(by, which)| Step::Claim { by, which }),
        1 => (0..5usize).prop_map(Step::Allow),
        1 => (1..100u64).prop_map(Step::Wait),
    ]
}

/// How many entries a reply gives.
fn given(reply: &str) -> usize {
    reply
        .split("\r\n")
        .filter(|line| line.ends_with("-0"))
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_reader_is_given_what_it_has_room_for(steps in prop::collection::vec(step(), 1..80)) {
        let mut node = Node::new();
        node.ask("XGROUP CREATE s g 0 MKSTREAM");
        let (mut added, mut delivered, mut allowed) = (0, 0, 0);
        // Who has which pending entry; nobody, if it was given back.
        let mut pending: BTreeMap<u64, Option<u8>> = BTreeMap::new();
        for step in steps {
            let some = |which: u8| 1 + u64::from(which) % (added + 1);
            match step {
                Step::Add => {
                    added += 1;
                    node.ask(&format!("XADD s {added}-0 f v"));
                }
                Step::Read { by, count } => {
                    let held = pending.values().filter(|holder| **holder == Some(by)).count();
                    let room = match allowed {
                        0 => usize::MAX,
                        allowed => usize::saturating_sub(allowed, held),
                    };
                    let expected = count.min(room).min((added - delivered) as usize);
                    let reply = node.ask(&format!("XREADGROUP GROUP g c{by} COUNT {count} STREAMS s >"));
                    prop_assert_eq!(given(&reply), expected);
                    pending.extend((delivered + 1..).take(expected).map(|number| (number, Some(by))));
                    delivered += expected as u64;
                }
                Step::ReadUnpending { by, count } => {
                    let expected = count.min((added - delivered) as usize);
                    let request = format!("XREADGROUP GROUP g c{by} COUNT {count} NOACK STREAMS s >");
                    prop_assert_eq!(given(&node.ask(&request)), expected);
                    delivered += expected as u64;
                }
                Step::Acknowledge(which) => {
                    let number = some(which);
                    let known = i32::from(pending.remove(&number).is_some());
                    prop_assert_eq!(node.ask(&format!("XACK s g {number}-0")), format!(":{known}\r\n"));
                }
                Step::GiveBack(which) => {
                    let number = some(which);
                    node.ask(&format!("XNACK s g FAIL IDS 1 {number}-0"));
                    pending.entry(number).and_modify(|holder| *holder = None);
                }
                Step::Claim { by, which } => {
                    let number = some(which);
                    node.ask(&format!("XCLAIM s g c{by} 0 {number}-0"));
                    pending.entry(number).and_modify(|holder| *holder = Some(by));
                }
                Step::Allow(count) => {
                    allowed = count;
                    node.ask(&format!("XGROUP SETCFG s g MAXPENDING {count}"));
                }
                Step::Wait(ms) => node.wait(ms),
            }
        }
        node.same(&["XPENDING s g", "XPENDING s g - + 99"]);
    }
}
