//! Consumers that go by themselves: who, when, and how many at a time.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

mod node;
#[path = "node/passing.rs"]
mod passing;

use std::collections::BTreeMap;

use engine::clients::session::SessionId;
use engine::limits::CONSUMER_LOOKS_PER_TIMER_MAX;
use node::Node;
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

/// What is compared between a server and one that was given its log.
const LOOK: [&str; 3] = [
    "XINFO CONSUMERS s g",
    "XGROUP GETCFG s g",
    "DEBUG DIGEST-VALUE s",
];

/// The same where consumers that called lately may be written as having called earlier.
const LOOK_WITHOUT_CALLS: [&str; 2] = ["XGROUP GETCFG s g", "XPENDING s g - + 99"];

const IDLE_MS: u64 = 8000;

/// How much later a consumer goes at the latest: two looks at it are an eighth apart.
const LATE_MS: u64 = IDLE_MS / 4;

impl Node {
    fn make_group(&mut self) {
        self.ask("XGROUP CREATE s g 0 MKSTREAM");
        let set = format!("XGROUP SETCFG s g IDLECONSUMERS {IDLE_MS}");
        assert_eq!(self.ask(&set), "+OK\r\n");
    }

    fn create(&mut self, consumer: &str) {
        self.ask(&format!("XGROUP CREATECONSUMER s g {consumer}"));
    }

    fn read(&mut self, consumer: &str) -> String {
        self.ask(&format!("XREADGROUP GROUP g {consumer} STREAMS s >"))
    }

    /// The consumers of the group, with a space between.
    fn consumers(&mut self) -> String {
        self.consumers_of("s")
    }

    fn consumers_of(&mut self, key: &str) -> String {
        let reply = self.ask(&format!("XINFO CONSUMERS {key} g"));
        let lines: Vec<&str> = reply.split("\r\n").collect();
        let pairs = lines.windows(3);
        let names = pairs.filter(|lines| lines[0] == "name").map(|it| it[2]);
        names.collect::<Vec<_>>().join(" ")
    }

    fn client(&mut self) -> SessionId {
        let name = String::new();
        self.engine.connect(name.clone(), name, self.now)
    }

    fn ask_as(&mut self, client: SessionId, request: &str) {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let now = self.now;
        let _ = self.engine.request(client, argv.as_argv(), now, &mut reply);
    }
}

#[test]
fn who_does_not_call_goes() {
    let mut node = Node::new();
    node.make_group();
    for consumer in ["ann", "bob", "eve"] {
        node.create(consumer);
    }
    // Any call counts, whether it brings something or not.
    for _ in 0..10 {
        node.pass(IDLE_MS / 2);
        node.read("ann");
    }
    assert_eq!(node.consumers(), "ann");
    node.read("new");
    node.same(&LOOK);
    node.pass(IDLE_MS - 1);
    assert_eq!(node.consumers(), "ann new");
    node.pass(LATE_MS + 1);
    assert_eq!(node.consumers(), "");
    node.same(&LOOK);
    // Switched off, nobody goes, and nothing is left to do.
    node.read("ann");
    node.ask("XGROUP SETCFG s g IDLECONSUMERS 0");
    node.pass(IDLE_MS);
    assert_eq!(node.pass(100 * IDLE_MS), 0);
    assert_eq!(node.consumers(), "ann");
    node.same(&LOOK);
}

#[test]
fn who_has_something_pending_stays_until_it_is_acknowledged() {
    let mut node = Node::new();
    node.make_group();
    node.ask("XADD s 1-0 f v");
    node.read("ann");
    node.create("bob");
    node.pass(10 * IDLE_MS);
    assert_eq!(node.consumers(), "ann");
    assert_eq!(node.ask("XACK s g 1-0"), ":1\r\n");
    node.pass(LATE_MS);
    assert_eq!(node.consumers(), "");
    node.same(&LOOK);
}

#[test]
fn who_waits_stays_until_some_time_after_that() {
    let mut node = Node::new();
    node.make_group();
    for how in ["STREAMS other s > >", "STREAMS s >", "PATTERN s* >"] {
        node.ask("XGROUP CREATE other g $ MKSTREAM");
        node.create("ann");
        node.create("bob");
        let client = node.client();
        let wait_ms = 5 * IDLE_MS;
        let wait = format!("XREADGROUP GROUP g ann BLOCK {wait_ms} {how}");
        node.ask_as(client, &wait);
        node.pass(wait_ms - 1);
        assert_eq!(node.consumers(), "ann", "{how}");
        let is_waiting = |node: &Node| {
            let session = node.engine.server.sessions.find(client);
            session.unwrap().wait.is_some()
        };
        assert!(is_waiting(&node), "{how}");
        node.pass(1);
        assert!(!is_waiting(&node), "{how}");
        node.pass(IDLE_MS - 1);
        assert_eq!(node.consumers(), "ann", "{how}");
        node.pass(LATE_MS + 1);
        assert_eq!(node.consumers(), "", "{how}");
        // That it waited is in the log: a replay does not ask.
        node.same(&LOOK);
        node.engine.disconnect(client);
    }
}

#[test]
fn nobody_goes_while_writes_are_held_back() {
    let mut node = Node::new();
    node.make_group();
    node.create("ann");
    node.pass(IDLE_MS / 2);
    node.ask(&format!("CLIENT PAUSE {} WRITE", 4 * IDLE_MS));
    node.pass(4 * IDLE_MS - 1);
    assert_eq!(node.consumers(), "ann");
    node.pass(IDLE_MS + LATE_MS);
    assert_eq!(node.consumers(), "");
    node.same(&LOOK);
}

#[test]
fn after_a_start_and_where_the_setting_is_new_the_time_counts_from_there() {
    let mut node = Node::new();
    node.ask("XGROUP CREATE s g 0 MKSTREAM");
    node.create("ann");
    node.pass(10 * IDLE_MS);
    node.make_group();
    node.pass(IDLE_MS - 1);
    assert_eq!(node.consumers(), "ann");
    let mut node = node.replayed();
    node.pass(IDLE_MS - 1);
    assert_eq!(node.consumers(), "ann");
    node.pass(LATE_MS + 1);
    assert_eq!(node.consumers(), "");
}

#[test]
fn the_setting_goes_where_the_stream_goes() {
    let mut node = Node::new();
    node.make_group();
    node.create("ann");
    let told = node.ask("XGROUP GETCFG s g");
    assert!(told.contains("idleconsumers\r\n:8000\r\n"), "{told}");
    node.ask("COPY s copied");
    node.ask("COPY s renamed");
    node.ask("RENAME renamed to");
    node.ask("COPY s moved");
    node.ask("MOVE moved 1");
    let payload = {
        let client = node.client();
        let mut reply = Reply::new(Protocol::Resp2);
        let dump: ArgvBuf = ["DUMP", "s"].into_iter().collect();
        let now = node.now;
        let _ = node.engine.request(client, dump.as_argv(), now, &mut reply);
        let bytes = reply.into_bytes();
        let head = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        bytes[head..bytes.len() - 2].to_vec()
    };
    let restore: ArgvBuf = [&b"RESTORE"[..], b"restored", b"0", &payload]
        .into_iter()
        .collect();
    let (client, now) = (node.client(), node.now);
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = node
        .engine
        .request(client, restore.as_argv(), now, &mut reply);
    assert_eq!(reply.into_bytes(), b"+OK\r\n");
    let others = ["copied", "to", "restored"];
    for key in others {
        let get = format!("XGROUP GETCFG {key} g");
        assert_eq!(node.ask(&get), told, "{key}");
        node.same(&[&get]);
    }
    node.pass(IDLE_MS + LATE_MS);
    for key in others {
        assert_eq!(node.consumers_of(key), "", "{key}");
    }
    node.ask("SELECT 1");
    assert_eq!(node.consumers_of("moved"), "");
}

#[test]
fn groups_go_by_their_own_times() {
    let mut node = Node::new();
    node.make_group();
    let long_ms = 100 * IDLE_MS;
    node.ask("XGROUP CREATE s never 0");
    node.ask("XGROUP CREATE s long 0");
    node.ask(&format!("XGROUP SETCFG s long IDLECONSUMERS {long_ms}"));
    for group in ["g", "never", "long"] {
        node.ask(&format!("XGROUP CREATECONSUMER s {group} ann"));
    }
    let counts = |node: &mut Node| {
        let groups = ["g", "long", "never"];
        groups.map(|group| node.ask(&format!("XINFO CONSUMERS s {group}")) != "*0\r\n")
    };
    node.pass(IDLE_MS + LATE_MS);
    assert_eq!(counts(&mut node), [false, true, true]);
    node.pass(long_ms);
    assert_eq!(counts(&mut node), [false, false, true]);
    node.ask("XGROUP DESTROY s g");
    node.ask("XGROUP DESTROY s long");
    node.pass(long_ms);
    assert_eq!(node.pass(long_ms), 0, "nobody is to go any more");
}

#[test]
fn a_few_go_at_a_time() {
    const MANY: usize = 20_000;
    let mut node = Node::new();
    node.make_group();
    for number in 0..MANY {
        node.create(&number.to_string());
    }
    let count = |node: &Node| {
        let keyspace = node.engine.keyspace();
        let record = keyspace.find(0, keyspace.hash(b"s"), b"s").unwrap();
        let stream = record.value().get::<stream::Stream>().unwrap();
        stream.groups().find(b"g").unwrap().consumer_count()
    };
    let (mut left, mut most, mut calls) = (MANY, 0, 0);
    while left > 0 {
        let next = node.engine.next_deadline(node.now).unwrap();
        node.wait(next.0.saturating_sub(node.now.mono.0));
        node.engine.timer(node.now);
        let now_left = count(&node);
        most = most.max(left - now_left);
        left = now_left;
        calls += 1;
    }
    assert!(most * 10 <= CONSUMER_LOOKS_PER_TIMER_MAX, "{most} at once");
    assert!(calls < MANY / 100, "{calls} calls");
    node.same(&LOOK);
}

/// What happens in a run of the property.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create(usize),
    Read(usize),
    Wait(usize, u64),
    Acknowledge,
    Add,
    Delete(usize),
    Pass(u64),
    Restart,
}

const NAMES: [&str; 4] = ["ann", "bob", "eve", "kim"];

fn step() -> impl Strategy<Value = Step> {
    let who = 0..NAMES.len();
    prop_oneof![
        2 => who.clone().prop_map(Step::Create),
        3 => who.clone().prop_map(Step::Read),
        2 => (who.clone(), 1..3 * IDLE_MS).prop_map(|(who, ms)| Step::Wait(who, ms)),
        2 => Just(Step::Acknowledge),
        1 => Just(Step::Add),
        1 => who.prop_map(Step::Delete),
        8 => (1..IDLE_MS).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

/// What is known of a consumer.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Until when it called or waited.
    called_ms: u64,
    /// Since when it has nothing pending.
    free_since_ms: u64,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn exactly_those_go_that_may(steps in prop::collection::vec(step(), 1..60)) {
        let mut node = Node::new();
        node.make_group();
        let mut known: BTreeMap<&str, Known> = BTreeMap::new();
        let mut waits: Vec<(&str, u64, SessionId)> = Vec::new();
        let (mut since_ms, mut entries) = (0, 0);
        for step in steps {
            let now_ms = node.now.mono.0;
            let mut called = None;
            match step {
                Step::Create(who) => {
                    // One that is there was not called by that; a client that waited when it was
                    // deleted has made it again once it was served.
                    let is_there = node.consumers().split(' ').any(|name| name == NAMES[who]);
                    node.create(NAMES[who]);
                    if !is_there {
                        called = Some(NAMES[who]);
                    }
                }
                Step::Read(who) => {
                    node.read(NAMES[who]);
                    called = Some(NAMES[who]);
                }
                Step::Wait(who, ms) => {
                    let client = node.client();
                    let wait = format!("XREADGROUP GROUP g {} BLOCK {ms} STREAMS s >", NAMES[who]);
                    node.ask_as(client, &wait);
                    waits.push((NAMES[who], now_ms + ms, client));
                    called = Some(NAMES[who]);
                }
                Step::Acknowledge => {
                    for id in 1..=entries {
                        node.ask(&format!("XACK s g {id}-0"));
                    }
                }
                Step::Add => {
                    entries += 1;
                    node.ask(&format!("XADD s {entries}-0 f v"));
                }
                Step::Delete(who) => {
                    node.ask(&format!("XGROUP DELCONSUMER s g {}", NAMES[who]));
                    known.remove(NAMES[who]);
                }
                Step::Pass(ms) => {
                    node.pass(ms);
                }
                Step::Restart => {
                    node = node.replayed();
                    since_ms = now_ms;
                    waits.clear();
                }
            }
            let now_ms = node.now.mono.0;
            if let Some(consumer) = called {
                let called_ms = now_ms;
                known.entry(consumer).or_insert(Known { called_ms, free_since_ms: now_ms })
                    .called_ms = called_ms;
            }
            // Who is served does not wait any more, and who waits counts as calling.
            waits.retain(|&(consumer, until_ms, client)| {
                let session = node.engine.server.sessions.find(client);
                let is_waiting = session.is_some_and(|session| session.wait.is_some());
                if let Some(known) = known.get_mut(consumer) {
                    known.called_ms = known.called_ms.max(now_ms.min(until_ms));
                }
                is_waiting
            });
            let there = node.consumers();
            let there: Vec<&str> = there.split(' ').filter(|name| !name.is_empty()).collect();
            let has_pending = |node: &mut Node, name: &str| {
                node.ask(&format!("XPENDING s g - + 1 {name}")) != "*0\r\n"
            };
            for name in NAMES {
                let Some(known_of) = known.get_mut(name) else {
                    continue;
                };
                let alive_ms = known_of.called_ms.max(since_ms);
                if there.contains(&name) {
                    if has_pending(&mut node, name) {
                        known_of.free_since_ms = now_ms;
                    }
                    let over_ms = (alive_ms + IDLE_MS).max(known_of.free_since_ms) + LATE_MS;
                    prop_assert!(now_ms <= over_ms, "{name} is still there");
                } else {
                    prop_assert!(now_ms >= alive_ms + IDLE_MS, "{name} is gone: {known_of:?}");
                    known.remove(name);
                }
            }
            node.same(&LOOK_WITHOUT_CALLS);
            prop_assert_eq!(node.replayed().consumers(), there.join(" "));
        }
    }
}
