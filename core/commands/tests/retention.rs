//! Streams that keep to bounds: what goes, when, and how much at a time, whoever writes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;
#[path = "node/passing.rs"]
mod passing;

use engine::limits::{RETAINED_PER_STEP_MAX, RETAINED_PER_TIMER_MAX};
use node::Node;

const START_MS: u64 = 1_790_000_000_000;

/// Entries of a node.
const NODE: u64 = 100;

/// The longest rest of a stream.
const REST_MS: u64 = 10_000;

impl Node {
    fn number(&mut self, request: &str) -> u64 {
        let reply = self.ask(request);
        reply.trim_start_matches(':').trim().parse().unwrap()
    }

    fn make(&mut self, key: &str, settings: &str) {
        self.ask(&format!("XGROUP CREATE {key} g 0 MKSTREAM"));
        assert_eq!(self.ask(&format!("XCFGSET {key} {settings}")), "+OK\r\n");
    }

    /// Adds entries `from-0` to `to-0`.
    fn add(&mut self, key: &str, from: u64, to: u64) {
        for ms in from..=to {
            self.ask(&format!("XADD {key} {ms}-0 f v"));
        }
    }
}

#[test]
fn an_append_trims_at_once_what_it_makes_too_much() {
    for references in ["KEEPREF", "DELREF"] {
        let mut node = Node::new();
        node.make("s", &format!("RETAIN-MAXLEN 250 RETAIN-REFS {references}"));
        let mut longest = 0;
        for ms in 1..=2000 {
            node.add("s", ms, ms);
            longest = node.number("XLEN s").max(longest);
            if ms % 7 == 0 {
                node.ask("XREADGROUP GROUP g c COUNT 3 STREAMS s >");
            }
        }
        assert_eq!(longest, 250 + NODE - 1);
        let calls = node.pass(60_000);
        assert!(calls <= 1, "nothing is left to do");
        let pending = node.ask("XPENDING s g - + 1");
        let is_kept = pending.contains("\n1-0\r");
        assert_eq!(is_kept, references == "KEEPREF", "{pending}");
        node.same(&["XRANGE s - +", "XPENDING s g", "DEBUG DIGEST-VALUE s"]);
    }
}

#[test]
fn many_appends_in_one_are_trimmed_too() {
    let mut node = Node::new();
    node.make("s", "RETAIN-MAXLEN 10");
    let entries = "1 f v ".repeat(500);
    node.ask(&format!("XADDM s ENTRIES 500 {}", entries.trim()));
    let left = node.number("XLEN s");
    assert!((10..10 + NODE).contains(&left), "{left}");
    node.same(&["XLEN s", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn entries_go_by_their_age_where_nobody_writes() {
    let mut node = Node::new();
    node.make("s", "RETAIN-AGE 60000");
    for _ in 0..300 {
        node.ask("XADD s * f v");
        node.wait(1000);
    }
    node.pass(0);
    // Each goes within a moment.
    let mut calls = 0;
    for _ in 0..70 {
        calls += node.pass(1000);
        let oldest_ms = node.now.unix_us as u64 / 1000 - 60_000;
        let too_old = node.ask(&format!("XRANGE s - {}", oldest_ms - 200));
        assert_eq!(too_old, "*0\r\n");
    }
    assert_eq!(node.ask("XLEN s"), ":0\r\n");
    assert_eq!(node.ask("EXISTS s"), ":1\r\n");
    assert!(calls <= 2 * 70, "{calls} calls");
    assert_eq!(node.pass(3_600_000), 0, "an empty stream has nothing to do");
    node.same(&["XLEN s", "XCFGGET s", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn entries_go_by_their_bytes() {
    let mut node = Node::new();
    node.make("s", "RETAIN-BYTES 200000");
    let value = "x".repeat(1000);
    for _ in 0..1000 {
        node.ask(&format!("XADD s * f {value}"));
    }
    // 16 KiB of entries are in a chunk.
    let left = node.number("XLEN s");
    assert!((180..=220).contains(&left), "{left}");
    assert_eq!(node.ask("XCFGSET s RETAIN-BYTES 1"), "+OK\r\n");
    node.pass(1000);
    // The one that is appended to stays.
    let left = node.number("XLEN s");
    assert!((1..=32).contains(&left), "{left}");
    node.same(&["XLEN s", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn a_long_stream_is_trimmed_in_bounded_steps() {
    let mut node = Node::new();
    let count = 3 * RETAINED_PER_TIMER_MAX;
    for key in ["s", "t"] {
        node.add(key, 1, count);
        node.ask(&format!("XCFGSET {key} RETAIN-MAXLEN 1000"));
    }
    let mut before = 2 * count;
    let mut calls = 0;
    while before > 2 * (1000 + NODE) {
        assert!(
            node.engine
                .next_deadline(node.now)
                .is_some_and(|at| at <= node.now.mono),
            "it is due at once"
        );
        node.engine.timer(node.now);
        let (s, t) = (node.number("XLEN s"), node.number("XLEN t"));
        assert!(before - s - t <= RETAINED_PER_TIMER_MAX + RETAINED_PER_STEP_MAX);
        // They take turns.
        assert!(s.abs_diff(t) <= RETAINED_PER_STEP_MAX, "{s} {t}");
        (before, calls) = (s + t, calls + 1);
    }
    assert!((6..=8).contains(&calls), "{calls}");
    node.same(&["XLEN s", "XLEN t", "DEBUG DIGEST-VALUE s t"]);
}

#[test]
fn what_a_group_needs_stays_until_it_does_not() {
    let mut node = Node::new();
    node.make("s", "RETAIN-MAXLEN 100 RETAIN-REFS ACKED");
    node.add("s", 1, 1000);
    node.ask("XGROUP CREATE s h 0");
    let calls = node.pass(3_600_000);
    assert_eq!(node.ask("XLEN s"), ":1000\r\n");
    assert!((100..1000).contains(&calls), "{calls}");
    // One group is not enough.
    node.ask("XREADGROUP GROUP g c COUNT 800 NOACK STREAMS s >");
    node.pass(2 * REST_MS);
    assert_eq!(node.ask("XLEN s"), ":1000\r\n");
    node.ask("XREADGROUP GROUP h c COUNT 500 STREAMS s >");
    node.pass(2 * REST_MS);
    assert_eq!(node.ask("XLEN s"), ":1000\r\n");
    // The first one stays pending, and holds none back but itself.
    let ids: Vec<String> = (2..=300).map(|ms| format!("{ms}-0")).collect();
    node.ask(&format!("XACK s h {}", ids.join(" ")));
    node.pass(2 * REST_MS);
    assert_eq!(node.ask("XLEN s"), ":701\r\n");
    node.same(&["XRANGE s - +", "XPENDING s h", "DEBUG DIGEST-VALUE s"]);
    assert!(node.ask("XRANGE s 1 1").starts_with("*1"));
    node.ask("XGROUP DESTROY s h");
    node.pass(2 * REST_MS);
    // What the other group has not read is more than the bound.
    assert_eq!(node.ask("XLEN s"), ":200\r\n");
    node.ask("XGROUP DESTROY s g");
    node.pass(2 * REST_MS);
    assert_eq!(node.ask("XLEN s"), ":100\r\n");
    node.same(&["XRANGE s - +", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn bounds_go_where_the_stream_goes() {
    let mut node = Node::new();
    node.make(
        "s",
        "RETAIN-MAXLEN 300 RETAIN-AGE 60000 RETAIN-BYTES 1000000 RETAIN-REFS DELREF",
    );
    for _ in 0..50 {
        node.ask("XADD s * f v");
    }
    node.ask("COPY s copy");
    node.ask("COPY s other");
    node.ask("RENAME other renamed");
    node.ask("COPY s moved");
    node.ask("MOVE moved 1");
    let told = node.ask("XCFGGET s");
    for word in ["retain-maxlen", ":300", "retain-age", ":60000", "DELREF"] {
        assert!(told.contains(word), "{told}");
    }
    for key in ["copy", "renamed"] {
        assert_eq!(node.ask(&format!("XCFGGET {key}")), told);
    }
    let full = node.ask("XINFO STREAM s FULL");
    assert!(full.contains("retain-bytes\r\n:1000000\r\n"), "{full}");
    node.same(&["DEBUG DIGEST-VALUE s copy renamed", "XCFGGET renamed"]);
    node.pass(61_000);
    for key in ["s", "copy", "renamed"] {
        assert_eq!(node.ask(&format!("XLEN {key}")), ":0\r\n", "{key}");
    }
    node.same(&["DEBUG DIGEST-VALUE s copy renamed", "XLEN renamed"]);
    node.ask("SELECT 1");
    assert_eq!(node.ask("XLEN moved"), ":0\r\n");
    assert_eq!(node.ask("XCFGGET moved"), told);
}

#[test]
fn nothing_goes_while_writes_are_held_back() {
    let mut node = Node::new();
    node.make("s", "RETAIN-AGE 100");
    node.ask("XADD s * f v");
    node.ask("CLIENT PAUSE 1000 WRITE");
    let calls = node.pass(900);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    assert!(calls < 20, "{calls}");
    node.pass(300);
    assert_eq!(node.ask("XLEN s"), ":0\r\n");
}

#[test]
fn a_bound_of_zero_is_none() {
    let mut node = Node::new();
    node.make("s", "RETAIN-MAXLEN 5 RETAIN-AGE 1");
    assert_eq!(
        node.ask("XCFGSET s RETAIN-MAXLEN 0 RETAIN-AGE 0"),
        "+OK\r\n"
    );
    node.add("s", 1, 500);
    assert_eq!(node.pass(3_600_000), 0);
    assert_eq!(node.ask("XLEN s"), ":500\r\n");
    let refused = node.ask("XCFGSET s RETAIN-MAXLEN -1");
    assert!(refused.starts_with("-ERR RETAIN-MAXLEN"), "{refused}");
    let refused = node.ask("XCFGSET s RETAIN-REFS NONE");
    assert_eq!(
        refused,
        "-ERR RETAIN-REFS must be KEEPREF or DELREF or ACKED\r\n"
    );
}

#[test]
fn delayed_entries_are_bounded_as_others_are() {
    let mut node = Node::new();
    node.make("s", "RETAIN-MAXLEN 10 RETAIN-AGE 5000");
    for _ in 0..1000 {
        node.ask("XADD s DELAY 1000 * f v");
    }
    node.pass(2000);
    let left = node.number("XLEN s");
    assert!((10..10 + NODE).contains(&left), "{left}");
    assert_eq!(node.ask("XDELAYED s"), "*0\r\n");
    node.pass(5000);
    assert_eq!(node.ask("XLEN s"), ":0\r\n");
    node.same(&["XLEN s", "DEBUG DIGEST-VALUE s"]);
}

#[test]
fn ids_of_other_times_do_not_keep_the_timer_busy() {
    let mut node = Node::new();
    node.make("s", "RETAIN-AGE 1000");
    node.ask(&format!("XADD s {} f v", 5));
    node.ask(&format!("XADD s {} f v", START_MS + 86_400_000));
    node.ask(&format!("XADD s {} f v", u64::MAX));
    let calls = node.pass(3_600_000);
    assert_eq!(node.ask("XLEN s"), ":2\r\n");
    assert!(calls < 10, "{calls}");
}
