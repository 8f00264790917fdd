//! Commands that name many IDs, in any order and some twice, do what the same IDs would one by one,
//! as one change.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use node::Node;

const COUNT: usize = 600;

/// What is compared with a server that was asked about each ID alone. The last shows in which order
/// entries are given again.
const LOOK: [&str; 4] = [
    "XPENDING s g - + 9999",
    "XLEN s",
    "XINFO CONSUMERS s g",
    "XREADGROUP GROUP g z CLAIM 0 STREAMS s >",
];

/// A group with entries pending at two consumers, as this sets it.
fn group(set: &str) -> Node {
    let mut node = Node::new();
    for request in [
        "XGROUP CREATE s g 0 MKSTREAM",
        "XGROUP CREATE s other 0",
        &format!("XGROUP SETCFG s g {set}"),
    ] {
        assert_eq!(node.ask(request), "+OK\r\n");
    }
    for number in 1..=COUNT {
        node.ask(&format!("XADD s {number}-0 f v"));
    }
    node.ask("XREADGROUP GROUP other a STREAMS s >");
    for consumer in ["a", "b"] {
        node.ask(&format!(
            "XREADGROUP GROUP g {consumer} COUNT {} STREAMS s >",
            COUNT / 2 - 10
        ));
    }
    node
}

/// IDs in an order that jumps about, some of which are not pending; each a third of them again.
fn jumping(again: bool) -> Vec<String> {
    let jumps = (0..COUNT).map(|number| number * 7 % (COUNT + 1) + 1);
    let ids =
        jumps.flat_map(|id| std::iter::repeat_n(id, if again && id % 3 == 0 { 2 } else { 1 }));
    ids.map(|id| format!("{id}-0")).collect()
}

/// Asks about all IDs at once and, on another server, one by one. Returns how often the log of the
/// first has the name of this command then.
fn compare(set: &str, request: impl Fn(&[String]) -> String, logged: &str, again: bool) -> usize {
    let (mut together, mut alone) = (group(set), group(set));
    let ids = jumping(again);
    let before = count_in_log(&together, logged);
    let reply = together.ask(&request(&ids));
    assert!(!reply.starts_with('-'), "{reply}");
    let commands = count_in_log(&together, logged) - before;
    for id in &ids {
        alone.ask(&request(std::slice::from_ref(id)));
    }
    together.same(&LOOK[..3]);
    together.wait(1);
    alone.wait(1);
    for look in LOOK {
        assert_eq!(together.ask(look), alone.ask(look), "{look}");
    }
    commands
}

fn count_in_log(node: &Node, name: &str) -> usize {
    let log = String::from_utf8_lossy(&node.engine.log().encoded().to_vec()).into_owned();
    log.matches(&format!("\r\n{name}\r\n")).count()
}

fn nack(mode: &'static str, options: &'static str) -> impl Fn(&[String]) -> String {
    move |ids| {
        format!(
            "XNACK s g {mode} IDS {} {}{options}",
            ids.len(),
            ids.join(" ")
        )
    }
}

const PLAIN: &str = "CLAIM 50";

#[test]
fn many_entries_are_given_back_in_one_change() {
    for (mode, options) in [
        ("SILENT", " FORCE"),
        ("FAIL", ""),
        ("FATAL", " RETRYCOUNT 3"),
    ] {
        let commands = compare(PLAIN, nack(mode, options), "XNACK", false);
        assert!(
            commands <= 2,
            "{commands}: those not delivered yet have another count"
        );
        compare(PLAIN, nack(mode, options), "XNACK", true);
    }
}

#[test]
fn an_id_that_comes_twice_makes_no_further_change() {
    for again in [false, true] {
        assert_eq!(compare(PLAIN, nack("FAIL", ""), "XNACK", again), 1);
    }
}

#[test]
fn entries_that_wait_longer_each_for_itself_are_given_back_together() {
    let set = "BACKOFF 1000 9000 JITTER 100";
    compare(set, nack("FAIL", ""), "XNACK", false);
    compare(set, nack("FAIL", ""), "XNACK", true);
}

#[test]
fn many_entries_are_claimed_in_one_change() {
    for options in ["", " JUSTID", " FORCE JUSTID"] {
        let claim = |ids: &[String]| format!("XCLAIM s g c 0 {}{options}", ids.join(" "));
        let commands = compare(PLAIN, claim, "XCLAIM", false);
        assert!(commands <= 3, "{options}: {commands}");
        compare(PLAIN, claim, "XCLAIM", true);
    }
}

#[test]
fn many_entries_are_deleted_whatever_the_order_of_ids() {
    for policy in ["KEEPREF", "DELREF", "ACKED"] {
        let acknowledge =
            |ids: &[String]| format!("XACKDEL s g {policy} IDS {} {}", ids.len(), ids.join(" "));
        compare(PLAIN, acknowledge, "XACK", true);
        let delete =
            |ids: &[String]| format!("XDELEX s {policy} IDS {} {}", ids.len(), ids.join(" "));
        compare(PLAIN, delete, "XDEL", true);
    }
    compare(
        PLAIN,
        |ids| format!("XACK s g {}", ids.join(" ")),
        "XACK",
        true,
    );
}
