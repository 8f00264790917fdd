//! Delayed entries: appended once, in order, when their time has come, whatever happens meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;

use engine::limits::{APPENDED_PER_TIMER_MAX, APPENDED_PER_TURN_MAX};
use node::Node;
use stream::DELAYED_BYTES_MAX;

const START_MS: u64 = 1_790_000_000_000;

impl Node {
    /// The time goes on, and what is due is done.
    fn pass(&mut self, ms: u64) {
        self.wait(ms);
        while self
            .engine
            .next_deadline(self.now)
            .is_some_and(|at| at <= self.now.mono)
        {
            self.engine.timer(self.now);
        }
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn ticket(after_ms: u64, number: u64) -> String {
    bulk(&format!("@{}-{number}", START_MS + after_ms))
}

#[test]
fn they_are_appended_in_the_order_in_which_they_are_due() {
    let mut node = Node::new();
    assert_eq!(node.ask("XADD s DELAY 500 * v e"), ticket(500, 1));
    assert_eq!(node.ask("XADD s DELAY 100 * v b"), ticket(100, 2));
    assert_eq!(node.ask("XADD s DELAY 300 * v d"), ticket(300, 3));
    assert_eq!(node.ask("XADD s DELAY 100 * v c"), ticket(100, 4));
    let at = START_MS + 50;
    assert_eq!(node.ask(&format!("XADD s AT {at} * v a")), ticket(50, 5));
    assert_eq!(node.ask("XLEN s"), ":0\r\n");
    assert_eq!(node.ask("EXISTS s"), ":1\r\n");
    node.pass(49);
    assert_eq!(node.ask("XLEN s"), ":0\r\n");
    node.pass(1);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    let look = ["XRANGE s - +", "XDELAYED s", "DEBUG DIGEST-VALUE s"];
    node.same(&look);
    // The clock leaps: the order is the same.
    node.pass(10_000);
    node.same(&look);
    assert_eq!(node.ask("XDELAYED s"), "*0\r\n");
    let entries = node.ask("XRANGE s - +");
    let order: Vec<usize> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|value| entries.find(&format!("$1\r\n{value}\r\n")).unwrap())
        .collect();
    assert!(order.is_sorted(), "{entries}");
}

#[test]
fn a_call_of_the_timer_appends_a_bounded_number() {
    let mut node = Node::new();
    for key in ["s", "t"] {
        for _ in 0..3 * APPENDED_PER_TIMER_MAX {
            node.ask(&format!("XADD {key} DELAY 5 * f v"));
        }
    }
    node.wait(5);
    let len = |node: &mut Node, key: &str| {
        let reply = node.ask(&format!("XLEN {key}"));
        reply[1..].trim().parse::<usize>().unwrap()
    };
    for call in 1..=6 {
        node.engine.timer(node.now);
        let (s, t) = (len(&mut node, "s"), len(&mut node, "t"));
        assert_eq!(s + t, call * APPENDED_PER_TIMER_MAX);
        // They take turns.
        assert_eq!(s, t);
    }
    assert!(
        node.engine
            .next_deadline(node.now)
            .is_none_or(|at| at > node.now.mono)
    );
}

/// Who is due after others waits for one turn of each, however much they have to do.
#[test]
fn streams_with_much_to_append_let_others_have_their_turn() {
    const BUSY: usize = 3 * APPENDED_PER_TIMER_MAX / APPENDED_PER_TURN_MAX;
    let mut node = Node::new();
    for number in 0..BUSY {
        for _ in 0..10 * APPENDED_PER_TURN_MAX {
            node.ask(&format!("XADD busy:{number} DELAY 5 * f v"));
        }
    }
    node.ask("XADD late DELAY 6 * f v");
    node.ask("HSET fields f v g v");
    node.ask("HPEXPIRE fields 6 FIELDS 1 f");
    node.wait(10);
    for _ in 0..=BUSY * APPENDED_PER_TURN_MAX / APPENDED_PER_TIMER_MAX {
        node.engine.timer(node.now);
        node.wait(1);
    }
    assert_eq!(node.ask("XLEN late"), ":1\r\n");
    assert_eq!(node.engine.stats().expired_fields_by_timer, 1);
    let appended = (0..BUSY).map(|number| node.ask(&format!("XLEN busy:{number}")));
    let turns = appended.map(|len| len.trim_start_matches(':').trim_end().parse::<usize>());
    let turns: Vec<usize> = turns
        .map(|len| len.unwrap() / APPENDED_PER_TURN_MAX)
        .collect();
    let most = turns.iter().max().unwrap();
    assert!(turns.iter().all(|turns| turns + 1 >= *most), "{turns:?}");
}

#[test]
fn a_retry_finds_what_waits_what_came_of_it_and_what_was_cancelled() {
    let mut node = Node::new();
    // Longer than an iid is remembered.
    let waits = "XADD s IDMP p 1 DELAY 500000 REPORT * f v";
    let at = START_MS + 500_000;
    assert_eq!(
        node.ask(waits),
        format!("*2\r\n{}{}", ticket(500_000, 1), bulk("delayed"))
    );
    for _ in 0..5 {
        node.pass(99_000);
        node.same(&[waits, "XADD s IDMP p 1 REPORT * f v"]);
        let again = format!("*2\r\n{}{}", bulk(&format!("@{at}-1")), bulk("duplicate"));
        assert_eq!(node.ask(waits), again);
        assert_eq!(node.ask("XLEN s"), ":0\r\n");
    }
    node.pass(5_000);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    let appended = format!("*2\r\n{}{}", bulk(&format!("{at}-0")), bulk("duplicate"));
    for _ in 0..2 {
        node.pass(49_000);
        assert_eq!(node.ask(waits), appended);
        node.same(&[waits, "XADD s IDMP p 1 * f v", "XLEN s"]);
    }
    // What was cancelled does not come back.
    let ticket = node.ask("XADD s IDMP p 2 DELAY 500 * f v");
    let cancel = format!("XUNDELAY s {}", ticket.lines().nth(1).unwrap());
    assert_eq!(node.ask(&cancel), ":1\r\n");
    assert_eq!(node.ask(&cancel), ":0\r\n");
    let retries = [
        "XADD s IDMP p 2 DELAY 500 * f v",
        "XADD s IDMP p 2 DELAY 500 REPORT * f v",
        "XADD s IDMP p 2 * f v",
        "XDELAYED s",
        "DEBUG DIGEST-VALUE s",
    ];
    node.same(&retries);
    assert_eq!(node.ask(retries[0]), "$-1\r\n");
    assert_eq!(
        node.ask(retries[1]),
        format!("*2\r\n$-1\r\n{}", bulk("cancelled"))
    );
    node.pass(10_000);
    node.same(&retries);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
}

#[test]
fn they_go_where_the_stream_goes() {
    let mut node = Node::new();
    node.ask("XADD s MAXLEN ~ 5 IDMP p 1 DELAY 100 * f 1");
    node.ask("XADD s MAXLEN = 1 ACKED DELAY 100 * f 2");
    node.ask("XADD s MINID 5 DELAY 200 * f 3");
    node.ask("COPY s copy");
    node.ask("COPY s other");
    node.ask("RENAME other renamed");
    node.ask("COPY s moved");
    node.ask("MOVE moved 1");
    node.ask("COPY s deleted");
    node.ask("DEL deleted");
    let list = node.ask("XDELAYED s");
    for key in ["copy", "renamed"] {
        assert_eq!(node.ask(&format!("XDELAYED {key}")), list);
    }
    node.same(&["DEBUG DIGEST-VALUE s copy renamed"]);
    node.pass(150);
    for key in ["s", "copy", "renamed"] {
        assert_eq!(
            node.ask(&format!("XLEN {key}")),
            ":1\r\n",
            "{key} keeps one"
        );
        let again = node.ask(&format!("XADD {key} NOMKSTREAM IDMP p 1 * f v"));
        assert_eq!(
            again,
            bulk(&format!("{}-0", START_MS + 150)),
            "the first of two"
        );
    }
    node.pass(100);
    node.same(&[
        "DEBUG DIGEST-VALUE s copy renamed",
        "XRANGE renamed - +",
        "EXISTS deleted",
    ]);
    assert_eq!(node.ask("XLEN renamed"), ":2\r\n");
    node.ask("SELECT 1");
    assert_eq!(node.ask("XLEN moved"), ":2\r\n");
}

#[test]
fn nothing_is_appended_while_writes_are_held_back() {
    let mut node = Node::new();
    node.ask("XADD s DELAY 100 * f v");
    // That concerns keys that expire.
    assert_eq!(node.ask("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
    node.pass(100);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    assert!(
        node.engine
            .next_deadline(node.now)
            .is_none_or(|at| at > node.now.mono)
    );
    node.ask("XADD s DELAY 100 * f v");
    node.ask("CLIENT PAUSE 1000 WRITE");
    node.pass(500);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    node.pass(600);
    assert_eq!(node.ask("XLEN s"), ":2\r\n");
}

#[test]
fn an_expired_stream_takes_what_waits_with_it() {
    let mut node = Node::new();
    node.ask("XADD s DELAY 100 * f v");
    node.ask("PEXPIRE s 50");
    node.pass(200);
    assert_eq!(node.ask("EXISTS s"), ":0\r\n");
    assert!(
        node.engine
            .next_deadline(node.now)
            .is_none_or(|at| at > node.now.mono)
    );
}

#[test]
fn what_waits_has_a_bounded_size() {
    let mut node = Node::new();
    let value = "x".repeat(DELAYED_BYTES_MAX - 1);
    let fits = node.ask(&format!("XADD s DELAY 100 * f {value}"));
    assert_eq!(fits, ticket(100, 1));
    let too_large = node.ask(&format!("XADD s DELAY 100 * ff {value}"));
    assert_eq!(
        too_large,
        "-ERR a delayed entry can have at most 8388608 bytes\r\n"
    );
    node.pass(100);
    assert_eq!(node.ask("XLEN s"), ":1\r\n");
    assert_eq!(node.ask("XDELAYED s"), "*0\r\n");
}

#[test]
fn another_message_is_told_apart_while_it_waits() {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s g 0 MKSTREAM");
    node.ask("XCFGSET s IDMP-CONFLICT ERROR");
    node.ask("XADD s IDMP p 1 DELAY 100 * f v g w");
    let ticket = ticket(100, 1);
    let ticket = ticket.lines().nth(1).unwrap();
    assert_eq!(
        node.ask("XADD s IDMP p 1 * f v"),
        format!(
            "-IDMPCONFLICT The idempotent ID was used for delayed entry {ticket}, with other fields\r\n"
        )
    );
    assert_eq!(node.ask("XADD s IDMP p 1 * g w f v"), bulk(ticket));
    node.pass(100);
    let id = format!("{}-0", START_MS + 100);
    assert_eq!(
        node.ask("XADD s IDMP p 1 * f v"),
        format!("-IDMPCONFLICT The idempotent ID was used for entry {id}, with other fields\r\n")
    );
    assert_eq!(node.ask("XADD s IDMP p 1 * g w f v"), bulk(&id));
    node.same(&["XADD s IDMP p 1 * f v", "XADD s IDMP p 1 * g w f v"]);
}
