//! `XREADGROUP … PATTERN`: each entry goes to one reader, streams are served by turns, new ones
//! join, and what is kept and done for it is bounded.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use std::collections::{BTreeMap, VecDeque};

use engine::clients::session::SessionId;
use engine::limits::{
    PATTERN_KEYS_PER_STEP_MAX, PATTERN_READ_BYTES_MAX, PATTERN_READ_IDLE_MS,
    PATTERN_READ_NAME_BYTES_MAX, PATTERN_READS_MAX, PATTERN_STREAMS_MAX,
    PATTERN_TURNS_PER_CALL_MAX,
};
use node::Node;
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

const NULL: &str = "*-1\r\n";
const READ: &str = "XREADGROUP GROUP g ann MAKEGROUP PATTERN s:* >";

impl Node {
    /// The time goes on, and what is due is done.
    fn pass(&mut self, ms: u64) {
        self.wait(ms);
        self.settle();
    }

    /// Does what is due. Returns how many calls of the timer that took.
    fn settle(&mut self) -> usize {
        let mut calls = 0;
        while self
            .engine
            .next_deadline(self.now)
            .is_some_and(|at| at <= self.now.mono)
        {
            self.engine.timer(self.now);
            calls += 1;
        }
        calls
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    /// What another client is answered at once; nothing if it waits.
    fn ask_as(&mut self, client: SessionId, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(client, argv.as_argv(), self.now, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    /// What clients were answered that had waited.
    fn delivered(&mut self) -> Vec<(SessionId, String)> {
        let deliveries = self.engine.take_deliveries().into_iter();
        let deliveries = deliveries.map(|delivery| {
            let text = String::from_utf8(delivery.bytes.into_bytes()).unwrap();
            (delivery.session, text)
        });
        deliveries.collect()
    }

    /// Reads, and tells which streams gave which values, in the order of the reply.
    fn read(&mut self, request: &str) -> Vec<(String, Vec<String>)> {
        let reply = self.ask(request);
        given(&reply)
    }
}

/// The streams of a reply with the values of their entries, each of which has one field.
fn given(reply: &str) -> Vec<(String, Vec<String>)> {
    let mut lines: VecDeque<&str> = reply.trim_end().split("\r\n").collect();
    let streams = len(&mut lines);
    let streams = (0..streams.unwrap_or(0)).map(|_| {
        assert_eq!(len(&mut lines), Some(2));
        let key = text(&mut lines);
        let entries = len(&mut lines).unwrap();
        let entries = (0..entries).map(|_| {
            len(&mut lines).unwrap();
            text(&mut lines);
            assert_eq!(len(&mut lines), Some(2));
            text(&mut lines);
            text(&mut lines)
        });
        (key, entries.collect())
    });
    streams.collect()
}

fn len(lines: &mut VecDeque<&str>) -> Option<usize> {
    let line = lines.pop_front().unwrap();
    line.strip_prefix('*').unwrap().parse().ok()
}

fn text(lines: &mut VecDeque<&str>) -> String {
    assert!(lines.pop_front().unwrap().starts_with('$'));
    lines.pop_front().unwrap().to_owned()
}

fn one(key: &str, values: &[&str]) -> Vec<(String, Vec<String>)> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    vec![(key.to_owned(), values)]
}

#[test]
fn streams_that_always_have_something_are_served_equally() {
    for (streams, count) in [(3, 10), (7, 3), (5, 5), (1, 4), (10, 1), (4, 7)] {
        let mut node = Node::new();
        for stream in 0..streams {
            for value in 0..400 {
                node.ask(&format!("XADD s:{stream} * f {value}"));
            }
        }
        let mut served: BTreeMap<String, usize> = BTreeMap::new();
        let calls = 30;
        for call in 1..=calls {
            let request = READ.replace("MAKE", &format!("COUNT {count} MAKE"));
            for (key, values) in node.read(&request) {
                let before = served.entry(key).or_default();
                for value in values {
                    assert_eq!(value, before.to_string());
                    *before += 1;
                }
            }
            assert_eq!(served.values().sum::<usize>(), call * count);
            let most = served.values().max().unwrap();
            let least = match served.len() < streams {
                true => 0,
                false => *served.values().min().unwrap(),
            };
            assert!(most - least <= 1, "{streams} {count}: {served:?}");
        }
    }
}

#[test]
fn a_loud_stream_leaves_what_others_do_not_need() {
    let mut node = Node::new();
    for value in 0..1000 {
        node.ask(&format!("XADD s:loud * f {value}"));
    }
    for quiet in 0..9 {
        node.ask(&format!("XADD s:{quiet} * f v"));
    }
    let read = READ.replace("MAKE", "COUNT 100 MAKE");
    let first = node.read(&read);
    assert_eq!(first.len(), 10);
    let loud = first.iter().find(|(key, _)| key == "s:loud").unwrap();
    assert!(loud.1.len() >= 10, "{loud:?}");
    assert_eq!(node.read(&read)[0].1.len(), 100);
}

#[test]
fn who_waits_is_woken_by_whatever_brings_an_entry() {
    let ways = [
        ("XADD s:1 * f v", "s:1"),
        ("XADD s:new * f v", "s:new"),
        ("RENAME other s:from", "s:from"),
        ("COPY other s:copy", "s:copy"),
        ("XADDM s:1 ENTRIES 1 1 f v", "s:1"),
        ("XADD s:1 DELAY 5 * f v", "s:1"),
        ("XGROUP SETID s:read g 0", "s:read"),
        ("SWAPDB 0 1", "s:elsewhere"),
    ];
    for (way, key) in ways {
        let mut node = Node::new();
        node.ask("XADD other * f v");
        node.ask("XADD s:1 * f w");
        node.ask("XADD s:read * f v");
        node.ask("SELECT 1");
        node.ask("XADD s:elsewhere * f v");
        node.ask("SELECT 0");
        assert_eq!(node.read(READ).len(), 2);
        let readers = [node.connect(), node.connect()];
        for reader in readers {
            let request = READ.replace("MAKE", "BLOCK 0 MAKE");
            assert_eq!(node.ask_as(reader, &request), "");
        }
        node.pass(1000);
        assert_eq!(node.delivered(), []);
        let reply = node.ask(way);
        assert!(!reply.starts_with('-'), "{reply}");
        node.pass(5);
        // One of them is served, who has waited longest.
        let delivered = node.delivered();
        assert_eq!(delivered.len(), 1, "{way}");
        assert_eq!(delivered[0].0, readers[0], "{way}");
        assert_eq!(given(&delivered[0].1), one(key, &["v"]), "{way}");
        node.ask("XADD s:2 * f x");
        let delivered = node.delivered();
        assert_eq!(delivered[0].0, readers[1]);
        assert_eq!(given(&delivered[0].1), one("s:2", &["x"]));
    }
}

#[test]
fn several_entries_wake_as_many_as_they_are_for() {
    let mut node = Node::new();
    let readers: Vec<SessionId> = (0..5).map(|_| node.connect()).collect();
    for reader in &readers {
        let request = READ.replace("MAKE", "COUNT 2 BLOCK 0 MAKE");
        assert_eq!(node.ask_as(*reader, &request), "");
    }
    node.ask("MULTI");
    for request in ["XADD s:1 * f a", "XADD s:2 * f b", "XADD s:1 * f c"] {
        node.ask(request);
    }
    node.ask("EXEC");
    let delivered = node.delivered();
    assert_eq!(delivered.len(), 2);
    assert_eq!(given(&delivered[0].1).len(), 2);
    assert_eq!(given(&delivered[1].1), one("s:1", &["c"]));
    let unblocked = [readers[0], readers[1]];
    assert_eq!(
        delivered.iter().map(|one| one.0).collect::<Vec<_>>(),
        unblocked
    );
    // Whoever goes takes no turn with it.
    node.engine.disconnect(readers[2]);
    node.ask("XADD s:3 * f d");
    assert_eq!(node.delivered()[0].0, readers[3]);
}

#[test]
fn without_the_word_only_streams_that_have_the_group_are_read() {
    let mut node = Node::new();
    node.ask("XADD s:1 * f a");
    node.ask("XADD s:2 * f b");
    node.ask("XGROUP CREATE s:2 g 0");
    node.ask("SET s:3 v");
    node.ask("XADD t:4 * f c");
    node.ask("XGROUP CREATE t:4 g 0");
    let read = "XREADGROUP GROUP g ann PATTERN s:* >";
    assert_eq!(node.read(read), one("s:2", &["b"]));
    assert_eq!(node.ask(read), NULL);
    node.ask("XGROUP CREATE s:1 g 0");
    assert_eq!(node.read(read), one("s:1", &["a"]));
    assert_eq!(node.ask("XINFO GROUPS t:4").matches("ann").count(), 0);
    // The consumer is known where it was given something, and nowhere else.
    assert_eq!(node.ask("XINFO CONSUMERS t:4 g"), "*0\r\n");
    node.same(&["XPENDING s:1 g", "XPENDING s:2 g", "XINFO GROUPS s:1"]);
}

#[test]
fn nobody_is_woken_for_a_stream_without_the_group_or_without_news_for_it() {
    let mut node = Node::new();
    let client = node.connect();
    let request = "XREADGROUP GROUP g ann BLOCK 0 PATTERN s:* >";
    assert_eq!(node.ask_as(client, request), "");
    node.settle();
    let looks = |node: &Node| node.engine.stats().waiters_looked_at;
    let before = looks(&node);
    for value in 0..10 {
        node.ask(&format!("XADD s:1 * f {value}"));
        node.ask(&format!("XADD s:{value} * f v"));
    }
    node.ask("COPY s:1 s:copy");
    node.ask("RENAME s:1 s:renamed");
    node.ask("XGROUP CREATE s:2 other 0");
    node.ask("XGROUP CREATE s:2 g $");
    node.settle();
    assert_eq!(looks(&node) - before, 0);
    assert_eq!(node.delivered(), []);
    node.ask("XGROUP CREATE s:copy g 0");
    assert_eq!(looks(&node) - before, 1);
    let [(_, reply)] = &node.delivered()[..] else {
        panic!("who waits is not served");
    };
    assert_eq!(given(reply)[0].0, "s:copy");
}

#[test]
fn what_others_did_not_acknowledge_is_taken_over_when_it_is_due() {
    for (rule, read) in [
        (
            None,
            "XREADGROUP GROUP g bob BLOCK 0 CLAIM 1000 PATTERN s:* >",
        ),
        (
            Some("XGROUP SETCFG s:1 g CLAIM 1000"),
            "XREADGROUP GROUP g bob BLOCK 0 PATTERN s:* >",
        ),
    ] {
        let mut node = Node::new();
        node.ask("XADD s:1 * f a");
        node.ask("XGROUP CREATE s:1 g 0");
        node.ask("XGROUP CREATE s:2 g 0 MKSTREAM");
        if let Some(rule) = rule {
            node.ask(rule);
        }
        let bob = node.connect();
        node.ask("XREADGROUP GROUP g ann STREAMS s:1 >");
        node.pass(600);
        assert_eq!(node.ask_as(bob, read), "");
        node.pass(399);
        assert_eq!(node.delivered(), []);
        node.pass(1);
        let delivered = node.delivered();
        assert!(delivered[0].1.contains("$3\r\ns:1\r\n"), "{rule:?}");
        assert_eq!(node.ask_as(bob, read), "");
        // What plain readers are given while he waits counts as well.
        node.ask("XADD s:2 * f b");
        assert!(node.delivered()[0].1.contains("s:2"), "{rule:?}");
        assert_eq!(node.ask_as(bob, read), "");
        node.pass(2100);
        assert!(node.delivered()[0].1.contains("s:"), "{rule:?}");
    }
}

#[test]
fn who_may_have_no_more_leaves_it_to_others() {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s:1 g 0 MKSTREAM");
    node.ask("XGROUP SETCFG s:1 g MAXPENDING 1");
    node.ask("XADD s:1 1-1 f a");
    node.ask("XADD s:1 1-2 f b");
    let (ann, bob) = (node.connect(), node.connect());
    let read = |consumer| format!("XREADGROUP GROUP g {consumer} BLOCK 0 PATTERN s:* >");
    assert_eq!(given(&node.ask_as(ann, &read("ann"))), one("s:1", &["a"]));
    assert_eq!(node.ask_as(ann, &read("ann")), "");
    node.pass(1000);
    assert_eq!(node.delivered(), []);
    assert_eq!(node.ask_as(bob, &read("bob")), "");
    node.pass(200);
    let delivered = node.delivered();
    assert_eq!(delivered[0].0, bob);
    assert_eq!(given(&delivered[0].1), one("s:1", &["b"]));
    node.ask("XADD s:1 1-3 f c");
    node.ask("XACK s:1 g 1-1");
    let delivered = node.delivered();
    assert_eq!(delivered[0].0, ann);
    assert_eq!(given(&delivered[0].1), one("s:1", &["c"]));
}

#[test]
fn a_bound_of_bytes_costs_no_stream_its_turn() {
    let mut node = Node::new();
    let value = "v".repeat(300);
    for stream in 0..4 {
        for _ in 0..2 {
            node.ask(&format!("XADD s:{stream} * f {value}"));
        }
    }
    let read = READ.replace("MAKE", "MAXSIZE 500 MAKE");
    let mut keys = Vec::new();
    for _ in 0..8 {
        let found = node.read(&read);
        assert_eq!(found.len(), 1);
        keys.push(found[0].0.clone());
    }
    let (first, second) = keys.split_at(4);
    assert_eq!(first, second);
    assert_eq!(node.ask(&read), NULL);
}

#[test]
fn nothing_is_said_of_streams_that_were_emptied() {
    let mut node = Node::new();
    node.ask("XADD s:1 1-1 f a");
    node.ask("XADD s:2 1-1 f a");
    node.ask("XADD s:3 1-1 f a");
    assert_eq!(node.read(READ).len(), 3);
    node.ask("XADD s:1 1-2 f b");
    node.ask("XDEL s:1 1-2");
    node.ask("XADD s:2 1-2 f b");
    node.ask("DEL s:2");
    node.ask("XADD s:3 1-2 f b");
    node.ask("SET s:3 v");
    assert_eq!(node.ask(READ), NULL);
    let reader = node.connect();
    assert_eq!(
        node.ask_as(reader, &READ.replace("MAKE", "BLOCK 0 MAKE")),
        ""
    );
    // Nobody looks again and again where nothing can be.
    node.pass(1);
    let next = node.engine.next_deadline(node.now);
    assert!(
        next.is_none_or(|at| at > node.now.mono.plus(100)),
        "{next:?}"
    );
    node.ask("FLUSHALL");
    node.ask("XADD s:2 1-1 f c");
    assert_eq!(given(&node.delivered()[0].1), one("s:2", &["c"]));
}

#[test]
fn nothing_waits_in_a_transaction_or_a_script() {
    let mut node = Node::new();
    let read = READ.replace("MAKE", "BLOCK 0 MAKE");
    node.ask("MULTI");
    node.ask(&read);
    assert_eq!(node.ask("EXEC"), format!("*1\r\n{NULL}"));
    node.ask("XADD s:1 1-1 f a");
    node.ask("MULTI");
    node.ask(&read);
    let reply = node.ask("EXEC");
    assert_eq!(
        given(reply.strip_prefix("*1\r\n").unwrap()),
        one("s:1", &["a"])
    );
}

#[test]
fn a_call_looks_at_a_bounded_number_of_keys_and_answers_once_all_were_looked_at() {
    let mut node = Node::new();
    let keys = 5 * PATTERN_KEYS_PER_STEP_MAX;
    for key in 0..keys {
        node.ask(&format!("SET key:{key} v"));
    }
    let reader = node.connect();
    assert_eq!(node.ask_as(reader, READ), "");
    assert_eq!(node.delivered(), []);
    let calls = node.settle();
    assert!((4..=6).contains(&calls), "{calls}");
    node.pass(1);
    assert_eq!(node.delivered(), [(reader, NULL.to_owned())]);
    // From then on, nobody goes through the keys.
    assert_eq!(node.ask(READ), NULL);
    node.ask("XADD s:1 1-1 f a");
    assert_eq!(node.read(READ), one("s:1", &["a"]));
}

#[test]
fn a_call_serves_a_bounded_number_of_streams() {
    let mut node = Node::new();
    let streams = PATTERN_TURNS_PER_CALL_MAX + 100;
    for stream in 0..streams {
        node.ask(&format!("XADD s:{stream} * f v"));
    }
    let read = READ.replace("MAKE", "COUNT 1000000 MAKE");
    assert_eq!(node.read(&read).len(), PATTERN_TURNS_PER_CALL_MAX);
    assert_eq!(node.read(&read).len(), 100);
    // Streams that others have read meanwhile cost a look each, which is bounded too.
    for stream in 0..streams {
        node.ask(&format!("XADD s:{stream} * f v"));
        node.ask(&format!("XREADGROUP GROUP g bob STREAMS s:{stream} >"));
    }
    let reader = node.connect();
    assert_eq!(node.ask_as(reader, &read), "");
    node.pass(1);
    assert_eq!(node.delivered(), [(reader, NULL.to_owned())]);
}

#[test]
fn of_more_streams_than_are_known_at_a_time_none_starves() {
    let mut node = Node::new();
    let streams = PATTERN_STREAMS_MAX + 1000;
    node.ask(&READ.replace("MAKE", "COUNT 1 MAKE"));
    for stream in 0..streams {
        for value in ["a", "b"] {
            node.ask(&format!("XADD s:{stream} * f {value}"));
        }
    }
    let mut served: BTreeMap<String, usize> = BTreeMap::new();
    let read = READ.replace("MAKE", &format!("COUNT {PATTERN_TURNS_PER_CALL_MAX} MAKE"));
    let mut calls = 0;
    while served.len() < streams {
        for (key, values) in node.read(&read) {
            *served.entry(key).or_default() += values.len();
        }
        node.settle();
        calls += 1;
        assert!(
            calls < 3 * streams / PATTERN_TURNS_PER_CALL_MAX,
            "{}",
            served.len()
        );
    }
    while served.values().sum::<usize>() < 2 * streams {
        let found = node.read(&read);
        assert!(!found.is_empty());
        for (key, values) in found {
            *served.entry(key).or_default() += values.len();
        }
        node.settle();
    }
    assert!(served.values().all(|count| *count == 2));
}

#[test]
fn info_tells_who_waits_by_a_pattern_and_how_many_reads_are_kept() {
    let mut node = Node::new();
    let told = |node: &mut Node| {
        let info = node.ask("INFO clients");
        let figure = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().parse::<usize>().unwrap()
        };
        (figure("pattern_clients:"), figure("pattern_reads:"))
    };
    assert_eq!(told(&mut node), (0, 0));
    assert_eq!(node.ask(READ), NULL);
    assert_eq!(told(&mut node), (0, 1));
    let clients: Vec<SessionId> = (0..3).map(|_| node.connect()).collect();
    for client in &clients {
        node.ask_as(*client, &READ.replace("MAKE", "BLOCK 0 MAKE"));
    }
    assert_eq!(told(&mut node), (3, 1));
    node.ask("XADD s:1 * f a");
    assert_eq!(told(&mut node), (2, 1));
    node.engine.disconnect(clients[2]);
    assert_eq!(told(&mut node), (1, 1));
}

#[test]
fn a_bounded_number_of_patterns_is_known_and_none_for_ever() {
    let mut node = Node::new();
    let read = |number, block| format!("XREADGROUP GROUP g ann {block}PATTERN p{number}:* >");
    for number in 0..2 * PATTERN_READS_MAX {
        node.pass(1);
        assert_eq!(node.ask(&read(number, "")), NULL);
    }
    assert_eq!(node.engine.pattern_reads().len(), PATTERN_READS_MAX);
    let clients: Vec<SessionId> = (0..PATTERN_READS_MAX).map(|_| node.connect()).collect();
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(node.ask_as(*client, &read(number, "BLOCK 0 ")), "");
    }
    let refused = node.ask(&read(99, ""));
    assert_eq!(refused, "-ERR clients wait for 32 patterns already\r\n");
    // Those who read in the same way share what is known.
    let other = node.connect();
    assert_eq!(node.ask_as(other, &read(3, "BLOCK 0 ")), "");
    node.engine.disconnect(clients[5]);
    assert_eq!(node.ask(&read(99, "")), NULL);
    node.pass(PATTERN_READ_IDLE_MS);
    assert_eq!(node.engine.pattern_reads().len(), PATTERN_READS_MAX - 1);
    for client in clients.into_iter().chain([other]) {
        node.engine.disconnect(client);
    }
    node.pass(PATTERN_READ_IDLE_MS);
    assert!(node.engine.pattern_reads().is_empty());
}

#[test]
fn long_patterns_are_refused_and_long_names_not_found() {
    let mut node = Node::new();
    let refused = "-ERR PATTERN and the name of its group can have at most 512 bytes each\r\n";
    for (extra, is_refused) in [(0, false), (1, true)] {
        let long = "x".repeat(PATTERN_READ_BYTES_MAX + extra);
        for request in [
            format!("XREADGROUP GROUP g ann PATTERN {long} >"),
            format!("XREADGROUP GROUP {long} ann PATTERN s >"),
        ] {
            let expected = if is_refused { refused } else { NULL };
            assert_eq!(node.ask(&request), expected);
        }
        let name = "n".repeat(PATTERN_READ_NAME_BYTES_MAX - 2 + extra);
        node.ask(&format!("XADD s:{name} * f v"));
        assert_eq!(node.read(READ).len(), 1 - extra);
    }
}

#[test]
fn a_user_reads_by_patterns_that_one_of_its_own_covers() {
    let mut node = Node::new();
    node.ask("ACL SETUSER ann on nopass +@all %R~s:* ~s:own:* (~t:* +xreadgroup)");
    node.ask("XGROUP CREATE s:1 g 0 MKSTREAM");
    node.ask("XADD s:1 * f a");
    node.ask("AUTH ann x");
    let denied = "-NOPERM No permissions to access a key\r\n";
    for (words, is_denied) in [
        ("PATTERN s:1 >", false),
        ("PATTERN s:* >", false),
        ("PATTERN s:o* >", false),
        ("PATTERN * >", true),
        ("PATTERN [s]:* >", true),
        ("PATTERN s* >", true),
        ("PATTERN t:* >", false),
        // To make a group is to write.
        ("MAKEGROUP PATTERN s:* >", true),
        ("MAKEGROUP PATTERN s:own:* >", false),
        ("MAKEGROUP PATTERN t:?? >", false),
    ] {
        let reply = node.ask(&format!("XREADGROUP GROUP g ann {words}"));
        assert_eq!(reply == denied, is_denied, "{words}: {reply}");
    }
    let log = node.ask("ACL LOG 1");
    assert!(log.contains("s:*"), "{log}");
}

#[derive(Debug, Clone)]
enum Op {
    Add(u8),
    Delete(u8),
    Rename(u8, u8),
    Plain(u8),
    Read(u8),
    Flush,
    Pass(u16),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (0..9u8).prop_map(Op::Add),
        1 => (0..9u8).prop_map(Op::Delete),
        1 => (0..9u8, 0..9u8).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => (0..9u8).prop_map(Op::Plain),
        6 => (1..6u8).prop_map(Op::Read),
        1 => Just(Op::Flush),
        1 => (1..400u16).prop_map(Op::Pass),
    ];
    prop::collection::vec(op, 1..120)
}

/// The streams whose keys match have the first numbers.
fn name(number: u8) -> String {
    match number {
        0..6 => format!("s:{number}"),
        _ => format!("t:{number}"),
    }
}

/// What the group was not given yet, of each stream, and since when there is something.
#[derive(Default)]
struct Model {
    left: BTreeMap<String, VecDeque<String>>,
    /// The call since which there is something, and the last one that gave something.
    since: BTreeMap<String, usize>,
    served: BTreeMap<String, usize>,
}

impl Model {
    fn forget(&mut self, key: &str) {
        self.since.remove(key);
        self.served.remove(key);
    }
}

proptest! {
    /// Against lists of what is left: nothing is given twice, out of order, or from elsewhere;
    /// something is given whenever there is something; and no stream has two turns while another
    /// waits for one.
    #[test]
    fn a_read_gives_what_is_left_by_turns(ops in ops()) {
        let mut node = Node::new();
        let mut model = Model::default();
        let (mut call, mut idle_ms) = (0, 0);
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Add(key) => {
                    let key = name(key);
                    node.ask(&format!("XADD {key} * f {number}"));
                    model.left.entry(key.clone()).or_default().push_back(number.to_string());
                    model.since.entry(key).or_insert(call);
                }
                Op::Delete(key) => {
                    let key = name(key);
                    node.ask(&format!("DEL {key}"));
                    model.left.remove(&key);
                    model.forget(&key);
                }
                Op::Rename(from, to) if from != to => {
                    let (from, to) = (name(from), name(to));
                    if let Some(left) = model.left.remove(&from) {
                        node.ask(&format!("RENAME {from} {to}"));
                        model.forget(&from);
                        model.forget(&to);
                        if !left.is_empty() {
                            model.since.insert(to.clone(), call);
                        }
                        model.left.insert(to, left);
                    }
                }
                Op::Rename(..) => {}
                Op::Plain(key) => {
                    let key = name(key);
                    if model.left.contains_key(&key) {
                        node.ask(&format!("XGROUP CREATE {key} g 0"));
                        node.ask(&format!("XREADGROUP GROUP g bob STREAMS {key} >"));
                        model.left.insert(key.clone(), VecDeque::new());
                        model.forget(&key);
                    }
                }
                Op::Flush => {
                    node.ask("FLUSHALL");
                    model = Model::default();
                }
                Op::Pass(seconds) => {
                    let ms = 1000 * u64::from(seconds);
                    idle_ms += ms;
                    // A read that was forgotten does not know whose turn it was.
                    if idle_ms >= PATTERN_READ_IDLE_MS {
                        model.served.clear();
                    }
                    node.pass(ms);
                }
                Op::Read(count) => {
                    call += 1;
                    idle_ms = 0;
                    let request = READ.replace("MAKE", &format!("COUNT {count} MAKE"));
                    let reply = node.read(&request);
                    let matching = model.left.iter().filter(|(key, _)| key.starts_with("s:"));
                    let all: usize = matching.map(|(_, left)| left.len()).sum();
                    let values: usize = reply.iter().map(|(_, values)| values.len()).sum();
                    prop_assert!(values <= usize::from(count) && (values > 0) == (all > 0));
                    for (key, values) in &reply {
                        prop_assert!(key.starts_with("s:") && !values.is_empty());
                        for value in values {
                            let expected = model.left.get_mut(key).and_then(VecDeque::pop_front);
                            prop_assert_eq!(Some(value), expected.as_ref());
                        }
                        let last = model.served.insert(key.clone(), call);
                        // Nobody else may have waited all the time since its last turn.
                        let is_given = |other: &str| reply.iter().any(|(key, _)| key == other);
                        for (other, since) in &model.since {
                            let waits = other.starts_with("s:") && !is_given(other);
                            let before = model.served.get(other).copied().unwrap_or(0).max(*since);
                            prop_assert!(!(waits && last.is_some_and(|last| before < last)));
                        }
                    }
                    for (key, left) in &model.left {
                        if left.is_empty() {
                            model.since.remove(key);
                            model.served.remove(key);
                        }
                    }
                }
            }
        }
        node.same(&["XPENDING s:0 g", "XPENDING s:1 g", "XPENDING s:2 g", "DEBUG DIGEST"]);
    }
}
