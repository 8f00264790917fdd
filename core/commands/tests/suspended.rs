//! What others hear of a script that is suspended in the middle: nothing before it ends, and then
//! not before what it did is durable.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, VecDeque};

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::{
    BATCH_BYTES_MAX, CALLED_BYTES_PER_UNIT, PUBLISHED_BYTES_MAX, SCRIPT_SLICE_UNITS,
    UNITS_PER_CALL, UNITS_PER_CHANGE, UNITS_PER_HEAVY_CALL, UNITS_PER_TICK, UNTOLD_BYTES_MAX,
};
use engine::scripting::{Answer, Call, Job, LibraryId, Runs, ScriptHost, Sha, Step};
use engine::store::log::Journalling;
use engine::{Engine, Lsn, Mono, Next, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// Runs a script of one request a line. The line `pause` takes a slice. The reply is that of the
/// last request.
#[derive(Debug, Default)]
struct Lines {
    bodies: BTreeMap<Sha, Vec<u8>>,
    lines: VecDeque<String>,
    ticks: u64,
    argv: ArgvBuf,
    reply: Vec<u8>,
}

impl Lines {
    fn next(&mut self) -> Step<'_> {
        if self.ticks > 0 {
            self.ticks -= 1;
            return Step::Tick;
        }
        let Some(line) = self.lines.pop_front() else {
            return Step::Done(&self.reply);
        };
        if line == "pause" {
            self.ticks = SCRIPT_SLICE_UNITS / UNITS_PER_TICK - 1;
            return Step::Tick;
        }
        self.argv = line.split(' ').collect();
        Step::Call(Call {
            argv: self.argv.as_argv(),
            protocol: Protocol::Resp2,
            buffer: Vec::new(),
        })
    }
}

impl ScriptHost for Lines {
    fn compile(&mut self, script: Sha, body: &[u8]) -> Result<(), Vec<u8>> {
        self.bodies.insert(script, body.to_vec());
        Ok(())
    }

    fn forget(&mut self, script: Sha) {
        self.bodies.remove(&script);
    }

    fn clear(&mut self) {}

    fn load(&mut self, _library: LibraryId, _code: &[u8]) -> Step<'_> {
        Step::Registered(Vec::new())
    }

    fn unload(&mut self, _library: LibraryId) {}

    fn begin(&mut self, job: Job<'_>) -> Step<'_> {
        let Runs::Script(script) = job.runs else {
            return Step::Registered(Vec::new());
        };
        let body = String::from_utf8_lossy(&self.bodies[&script]);
        self.lines = body.lines().map(str::to_owned).collect();
        self.reply = b"+NONE\r\n".to_vec();
        self.next()
    }

    fn go_on(&mut self, answer: Answer) -> Step<'_> {
        match answer {
            Answer::Reply(reply) => self.reply = reply,
            Answer::ReplyThenTick(reply) => {
                self.reply = reply;
                self.ticks += 1;
            }
            Answer::GoOn | Answer::Verdict(_) | Answer::Kill => {}
        }
        self.next()
    }

    fn used_bytes(&self) -> u64 {
        0
    }
}

/// What a client got: the text, and what it depends on.
type Got = (SessionId, String, Lsn);

struct Node {
    engine: Engine,
    now: Now,
}

impl Node {
    fn new() -> Node {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(1000),
        };
        let mut settings = Settings::default();
        settings.set("notify-keyspace-events", "KA").unwrap();
        settings.set("busy-reply-threshold", "100").unwrap();
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        engine.server.scripts.set_host(Box::<Lines>::default());
        Node { engine, now }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    /// A client that listens to these channels.
    fn listener(&mut self, channels: &str) -> SessionId {
        let listener = self.connect();
        self.ask(listener, &format!("SUBSCRIBE {channels}"));
        listener
    }

    fn request(&mut self, client: SessionId, argv: &ArgvBuf) -> (Next, String, Lsn) {
        let mut reply = Reply::new(Protocol::Resp2);
        let outcome = self
            .engine
            .request(client, argv.as_argv(), self.now, &mut reply);
        let text = String::from_utf8(reply.into_bytes()).unwrap();
        (outcome.then, text, outcome.depends_on)
    }

    fn ask(&mut self, client: SessionId, words: &str) -> (Next, String, Lsn) {
        self.request(client, &words.split(' ').collect())
    }

    /// Runs a script, which is suspended.
    fn run(&mut self, client: SessionId, lines: &[&str]) {
        let body = lines.join("\n");
        let argv: ArgvBuf = ["EVAL", &body, "0"].into_iter().collect();
        assert_eq!(self.request(client, &argv).0, Next::Wait);
    }

    fn pass(&mut self, ms: u64) -> Vec<Got> {
        self.now.mono = self.now.mono.plus(ms);
        self.engine.timer(self.now);
        self.got()
    }

    fn got(&mut self) -> Vec<Got> {
        let deliveries = self.engine.take_deliveries().into_iter();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        deliveries
            .map(|it| (it.session, text(it.bytes.into_bytes()), it.depends_on))
            .collect()
    }
}

fn message(channel: &str, text: &str) -> String {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    format!("*3\r\n{}{}{}", bulk("message"), bulk(channel), bulk(text))
}

#[test]
fn a_message_of_a_suspended_script_waits_for_all_that_the_script_does() {
    let mut node = Node::new();
    let listener = node.listener("x");
    let (scripter, other) = (node.connect(), node.connect());
    let lines = [
        "SET k v",
        "PUBLISH x first",
        "pause",
        "PUBLISH x second",
        "pause",
        "SET k w",
    ];
    node.run(scripter, &lines);
    assert_eq!(node.got(), []);
    // Others are held back, then answered; neither takes the messages with it.
    assert_eq!(node.ask(other, "GET k").0, Next::Wait);
    let told = node.pass(100);
    assert!(told.iter().all(|(to, ..)| *to == other), "{told:?}");
    assert_eq!(told.len(), 1);
    assert!(node.ask(other, "PING").1.starts_with("-BUSY"));
    assert_eq!(node.got(), []);
    let before = node.engine.log().last();
    let got = node.pass(1);
    let batch = node.engine.log().last();
    assert_eq!(batch, before.next());
    let both = message("x", "first") + &message("x", "second");
    let expected = [
        (scripter, "+OK\r\n".to_owned(), batch),
        (listener, both, batch),
    ];
    assert_eq!(got, expected);
    // Its client has been told of that batch: what it says later waits for it too.
    node.ask(scripter, "PUBLISH x later");
    assert_eq!(node.got(), [(listener, message("x", "later"), batch)]);
}

#[test]
fn what_calls_do_counts_for_a_slice() {
    // Each takes about a quarter of a slice: it changes, reads or answers as much.
    let elements = vec!["x"; SCRIPT_SLICE_UNITS as usize / 4 / UNITS_PER_CHANGE as usize];
    let changes = format!("RPUSH l {}", elements.join(" "));
    let bytes = SCRIPT_SLICE_UNITS / 4 * CALLED_BYTES_PER_UNIT;
    let answers = format!("GETRANGE long 0 {}", bytes - 1);
    let calls_per_slice = (SCRIPT_SLICE_UNITS / UNITS_PER_HEAVY_CALL) as usize;
    let reads = vec!["KEYS none"; calls_per_slice / 4].join("\n");
    for (call, slices) in [(&changes, 3), (&answers, 3), (&reads, 3)] {
        let mut node = Node::new();
        let scripter = node.connect();
        node.ask(scripter, &format!("SETRANGE long {bytes} x"));
        node.run(scripter, &[call.as_str(); 9]);
        let mut ended = 1;
        while node.got().is_empty() && node.pass(1).is_empty() {
            ended += 1;
        }
        assert_eq!(ended, slices - 1, "{:.30}", call);
    }
    // Calls that do little are many.
    let mut node = Node::new();
    let scripter = node.connect();
    let few = (SCRIPT_SLICE_UNITS / UNITS_PER_CALL / 2) as usize;
    let body = vec!["GET k"; few].join("\n");
    let argv: ArgvBuf = ["EVAL", &body, "0"].into_iter().collect();
    assert_eq!(node.request(scripter, &argv).0, Next::Continue);
}

#[test]
fn events_of_a_suspended_script_wait_for_all_that_the_script_does() {
    let mut node = Node::new();
    let listener = node.listener("__keyspace@0__:k __keyspace@0__:l");
    let scripter = node.connect();
    node.run(scripter, &["SET k v", "pause", "SET l v", "pause", "DEL k"]);
    assert_eq!(node.got(), []);
    assert_eq!(node.pass(1), []);
    let got = node.pass(1);
    let batch = node.engine.log().last();
    let expected = [
        (scripter, ":1\r\n".to_owned(), batch),
        (listener, message("__keyspace@0__:k", "set"), batch),
        (listener, message("__keyspace@0__:l", "set"), batch),
        (listener, message("__keyspace@0__:k", "del"), batch),
    ];
    assert_eq!(got, expected);
}

#[test]
fn clients_that_track_keys_hear_of_a_suspended_script_when_it_has_ended() {
    let mut node = Node::new();
    let (reader, scripter) = (node.connect(), node.connect());
    for words in ["HELLO 3", "CLIENT TRACKING ON", "GET k"] {
        node.ask(reader, words);
    }
    node.run(scripter, &["SET k v", "pause", "SET k w"]);
    assert_eq!(node.got(), []);
    let got = node.pass(1);
    let batch = node.engine.log().last();
    let told: Vec<_> = got.iter().filter(|(to, ..)| *to == reader).collect();
    assert_eq!(told.len(), 1, "{got:?}");
    assert!(told[0].1.contains("invalidate") && told[0].2 == batch);
}

#[test]
fn messages_of_a_script_wait_for_its_client_and_come_although_it_has_gone() {
    let mut node = Node::new();
    let listener = node.listener("x");
    let scripter = node.connect();
    let (_, _, written) = node.ask(scripter, "SET k v");
    node.run(scripter, &["PUBLISH x first", "pause"]);
    node.engine.disconnect(scripter);
    assert_eq!(node.got(), []);
    let expected = [(listener, message("x", "first"), written)];
    assert_eq!(node.pass(1), expected);
}

#[test]
fn a_client_that_has_turned_away_gets_nothing_of_a_suspended_script() {
    let mut node = Node::new();
    let (stays, resets) = (node.listener("x"), node.listener("x"));
    let (changes, scripter) = (node.connect(), node.connect());
    node.ask(changes, "HELLO 3");
    node.ask(changes, "SUBSCRIBE x");
    node.got();
    node.run(scripter, &["PUBLISH x m", "pause", "pause"]);
    node.pass(100);
    assert_eq!(node.ask(resets, "RESET").1, "+RESET\r\n");
    assert!(node.ask(changes, "HELLO 2").1.starts_with('*'));
    assert_eq!(node.got(), []);
    let got = node.pass(1);
    let told: Vec<SessionId> = got.iter().map(|(to, ..)| *to).collect();
    assert_eq!(told, [scripter, stays]);
}

#[test]
fn what_a_client_says_after_a_wait_waits_for_what_it_was_given() {
    let mut node = Node::new();
    let listener = node.listener("x");
    let (taker, giver) = (node.connect(), node.connect());
    assert_eq!(node.ask(taker, "BLPOP l 0").0, Next::Wait);
    node.ask(giver, "RPUSH l e");
    let taken = node.got();
    let (_, _, batch) = taken.iter().find(|(to, ..)| *to == taker).unwrap();
    assert_eq!(*batch, node.engine.log().last());
    node.ask(taker, "PUBLISH x m");
    assert_eq!(node.got(), [(listener, message("x", "m"), *batch)]);
}

#[test]
fn what_is_published_before_any_of_it_is_sent_is_bounded() {
    let mut node = Node::new();
    let listener = node.listener("x");
    let publisher = node.connect();
    node.ask(publisher, "MULTI");
    let text = "m".repeat(1 << 20);
    let fit = PUBLISHED_BYTES_MAX >> 20;
    for _ in 0..=fit {
        node.ask(publisher, &format!("PUBLISH x {text}"));
    }
    let (_, replies, _) = node.ask(publisher, "EXEC");
    assert_eq!(replies.matches(":1\r\n").count(), fit);
    let refused = "-ERR What was published and is not sent yet takes too much memory\r\n";
    assert!(replies.ends_with(refused));
    let got = node.got();
    assert!(got.iter().all(|(to, ..)| *to == listener));
    // There is room again once it is sent.
    assert_eq!(node.ask(publisher, "PUBLISH x m").1, ":1\r\n");
}

/// What a command is answered that would add to too much.
const TOO_MUCH: &str = "-ERR What was written and is not in the log yet takes too much memory\r\n";

/// A value of which as many as this are as much as may be written.
const VALUE_BYTES: usize = 8 << 20;
const FIT: usize = BATCH_BYTES_MAX / VALUE_BYTES;

impl Node {
    /// A node that has a long value, and what writes another one to the log each time.
    fn with_long_value() -> (Node, SessionId) {
        let mut node = Node::new();
        let writer = node.connect();
        node.ask(writer, &format!("SETRANGE k {} x", VALUE_BYTES - 1));
        node.take_log();
        (node, writer)
    }

    /// Takes what is complete, as a log does. Returns how many bytes that is.
    fn take_log(&mut self) -> usize {
        let taken = std::mem::take(self.engine.effects()).len();
        self.engine.effects_taken();
        taken
    }
}

#[test]
fn what_a_transaction_writes_is_bounded() {
    let (mut node, writer) = Node::with_long_value();
    node.ask(writer, "MULTI");
    for _ in 0..=FIT {
        node.ask(writer, "BITOP OR copy k");
    }
    node.ask(writer, "STRLEN k");
    let (_, replies, batch) = node.ask(writer, "EXEC");
    let length = format!(":{VALUE_BYTES}\r\n");
    assert!(
        replies.ends_with(&format!("{length}{TOO_MUCH}{length}")),
        "{replies}"
    );
    assert_eq!(replies.matches(&length).count(), FIT + 1);
    // What fitted is one batch, and the next request begins another.
    assert_eq!(batch, node.engine.log().last());
    assert_eq!(node.ask(writer, "SET copy v").1, "+OK\r\n");
    let taken = node.take_log();
    assert!(
        (BATCH_BYTES_MAX..BATCH_BYTES_MAX + VALUE_BYTES).contains(&taken),
        "{taken}"
    );
}

#[test]
fn what_a_script_writes_before_it_ends_is_bounded_however_often_it_is_suspended() {
    let (mut node, writer) = Node::with_long_value();
    let mut lines = Vec::new();
    for number in 0..=FIT {
        lines.push("BITOP OR copy k");
        if number % 16 == 15 {
            lines.push("pause");
        }
    }
    let before = node.engine.log().last();
    node.run(writer, &lines);
    let mut got = Vec::new();
    while got.is_empty() {
        assert_eq!(node.take_log(), 0);
        got = node.pass(1);
    }
    assert_eq!(got, [(writer, TOO_MUCH.to_owned(), before.next())]);
    let taken = node.take_log();
    assert!(
        (BATCH_BYTES_MAX..BATCH_BYTES_MAX + VALUE_BYTES).contains(&taken),
        "{taken}"
    );
    assert_eq!(node.ask(writer, "SET copy v").1, "+OK\r\n");
}

#[test]
fn clients_that_track_are_told_of_everything_if_a_script_changes_too_much() {
    let mut node = Node::new();
    let (changes, reads, scripter) = (node.connect(), node.connect(), node.connect());
    for (client, options) in [(changes, " BCAST"), (reads, "")] {
        node.ask(client, "HELLO 3");
        node.ask(client, &format!("CLIENT TRACKING ON{options}"));
    }
    node.ask(reads, "GET read");
    let long = "k".repeat(1 << 20);
    let keys = UNTOLD_BYTES_MAX / long.len();
    let told = |node: &mut Node, keys: usize| {
        let mut lines: Vec<String> = vec!["SET read v".to_owned(), "pause".to_owned()];
        lines.extend((0..keys).map(|number| format!("SET {long}{number} v")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        node.run(scripter, &lines);
        let mut got = node.got();
        while got.is_empty() {
            got = node.pass(1);
        }
        let got = got.into_iter();
        got.filter(|(to, ..)| *to != scripter)
            .map(|(to, text, _)| (to, text))
            .collect::<Vec<_>>()
    };
    let everything = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
    let got = told(&mut node, keys + 1);
    for client in [changes, reads] {
        let to_it: Vec<&str> = got
            .iter()
            .filter(|(to, _)| *to == client)
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(to_it, [everything]);
    }
    // Less than that is told key by key.
    let got = told(&mut node, keys / 2);
    assert!(got.iter().all(|(_, text)| text != everything));
    assert!(
        got.iter()
            .any(|(to, text)| *to == changes && text.contains(&long))
    );
}
