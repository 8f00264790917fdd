//! Channels against a model, and what a message waits for before it leaves.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};

use commands::TABLE;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::glob::{Letters, matches};
use engine::store::log::Journalling;
use engine::{Engine, Lsn, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

fn now() -> Now {
    Now {
        mono: Mono(1000),
        unix_us: 1_790_000_000_000_000,
    }
}

fn engine() -> Engine {
    Engine::new(Settings::default(), 7, now(), &TABLE)
}

/// Clients of an engine, and what has come to each of them.
struct Node {
    engine: Engine,
    clients: Vec<(SessionId, Protocol)>,
    received: BTreeMap<SessionId, Vec<u8>>,
}

impl Node {
    fn new(protocols: &[Protocol]) -> Node {
        let mut node = Node {
            engine: engine(),
            clients: Vec::new(),
            received: BTreeMap::new(),
        };
        for &protocol in protocols {
            let id = node.engine.connect(String::new(), String::new(), now());
            node.clients.push((id, protocol));
            node.received.insert(id, Vec::new());
            if protocol == Protocol::Resp3 {
                node.ask(node.clients.len() - 1, &["HELLO", "3"]);
                node.received.insert(id, Vec::new());
            }
        }
        node
    }

    /// Runs a request. Its reply counts as received, and so does what comes because of it. Returns
    /// what the reply depends on.
    fn ask(&mut self, client: usize, words: &[&str]) -> Lsn {
        let (id, protocol) = self.clients[client];
        let argv: ArgvBuf = words.iter().copied().collect();
        let mut reply = Reply::new(protocol);
        let outcome = self.engine.request(id, argv.as_argv(), now(), &mut reply);
        let received = self.received.get_mut(&id).unwrap();
        received.extend(reply.into_bytes());
        for delivery in self.engine.take_deliveries() {
            let received = self.received.get_mut(&delivery.session).unwrap();
            received.extend(delivery.bytes.into_bytes());
        }
        outcome.depends_on
    }
}

/// What channels are to do, without any thought of cost.
#[derive(Default)]
struct Model {
    /// By client: what it listens to, a kind and a name.
    listens: Vec<BTreeSet<(Kind, &'static str)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Channel,
    Pattern,
    Shard,
}

#[derive(Debug, Clone)]
enum Step {
    Subscribe(usize, Kind, &'static str),
    Unsubscribe(usize, Kind, Option<&'static str>),
    Publish(Kind, &'static str),
    Reset(usize),
    Reconnect(usize),
}

const NAMES: [&str; 6] = ["a", "b", "ab", "a*", "*b", "[ab]"];
const PROTOCOLS: [Protocol; 4] = [
    Protocol::Resp2,
    Protocol::Resp3,
    Protocol::Resp2,
    Protocol::Resp3,
];

/// The client that publishes; it never listens.
const PUBLISHER: usize = PROTOCOLS.len();

impl Kind {
    fn word(self, begin: &str, word: &str) -> String {
        let letter = match self {
            Kind::Channel => "",
            Kind::Pattern => "p",
            Kind::Shard => "s",
        };
        format!("{begin}{letter}{word}")
    }
}

fn message(protocol: Protocol, parts: &[Option<&str>], number: Option<usize>) -> Vec<u8> {
    let mut reply = Reply::new(protocol);
    reply.push(parts.len() + usize::from(number.is_some()));
    for part in parts {
        match part {
            Some(part) => reply.bulk(part.as_bytes()),
            None => reply.null(),
        }
    }
    if let Some(number) = number {
        reply.count(number);
    }
    reply.into_bytes()
}

impl Model {
    fn count(&self, client: usize, kind: Kind) -> usize {
        let listens = self.listens[client].iter();
        let of_shard = kind == Kind::Shard;
        listens
            .filter(|(other, _)| (*other == Kind::Shard) == of_shard)
            .count()
    }

    /// What each client gets for a message, and how many there are.
    fn publish(&self, kind: Kind, name: &str, text: &str) -> (Vec<Vec<u8>>, usize) {
        let mut got = vec![Vec::new(); PROTOCOLS.len()];
        let mut all = 0;
        for (client, listens) in self.listens.iter().enumerate().take(PROTOCOLS.len()) {
            let protocol = PROTOCOLS[client];
            let of_kind = |wanted| listens.iter().filter(move |(kind, _)| *kind == wanted);
            for (_, known) in of_kind(kind).filter(|(_, known)| *known == name) {
                let word = kind.word("", "message");
                let parts = [Some(word.as_str()), Some(*known), Some(text)];
                got[client].extend(message(protocol, &parts, None));
                all += 1;
            }
            let patterns = of_kind(Kind::Pattern).filter(|_| kind == Kind::Channel);
            for (_, pattern) in patterns {
                if matches(pattern.as_bytes(), name.as_bytes(), Letters::Exact) {
                    let parts = [Some("pmessage"), Some(*pattern), Some(name), Some(text)];
                    got[client].extend(message(protocol, &parts, None));
                    all += 1;
                }
            }
        }
        (got, all)
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Channel), Just(Kind::Pattern), Just(Kind::Shard)]
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..PROTOCOLS.len();
    let name = prop::sample::select(NAMES.as_slice());
    prop_oneof![
        4 => (client.clone(), kind(), name.clone())
            .prop_map(|(client, kind, name)| Step::Subscribe(client, kind, name)),
        2 => (client.clone(), kind(), prop::option::of(name.clone()))
            .prop_map(|(client, kind, name)| Step::Unsubscribe(client, kind, name)),
        4 => (prop_oneof![Just(Kind::Channel), Just(Kind::Shard)], name)
            .prop_map(|(kind, name)| Step::Publish(kind, name)),
        1 => client.clone().prop_map(Step::Reset),
        1 => client.prop_map(Step::Reconnect),
    ]
}

proptest! {
    #[test]
    fn who_listens_hears_all_of_it_and_nothing_else(steps in prop::collection::vec(step(), 1..80)) {
        let mut protocols = PROTOCOLS.to_vec();
        protocols.push(Protocol::Resp2);
        let mut node = Node::new(&protocols);
        let mut model = Model {
            listens: vec![BTreeSet::new(); PROTOCOLS.len()],
        };
        let mut expected = vec![Vec::new(); PROTOCOLS.len() + 1];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Subscribe(client, kind, name) => {
                    let word = kind.word("", "subscribe");
                    node.ask(client, &[&word, name]);
                    model.listens[client].insert((kind, name));
                    let parts = [Some(word.as_str()), Some(name)];
                    let count = model.count(client, kind);
                    expected[client].extend(message(PROTOCOLS[client], &parts, Some(count)));
                }
                Step::Unsubscribe(client, kind, name) => {
                    let word = kind.word("", "unsubscribe");
                    let names: Vec<&'static str> = match name {
                        Some(name) => vec![name],
                        None => {
                            let listens = model.listens[client].iter();
                            let names = listens.filter(|(other, _)| *other == kind);
                            names.map(|(_, name)| *name).collect()
                        }
                    };
                    match name {
                        Some(name) => node.ask(client, &[&word, name]),
                        None => node.ask(client, &[&word]),
                    };
                    for name in &names {
                        model.listens[client].remove(&(kind, *name));
                        let parts = [Some(word.as_str()), Some(*name)];
                        let count = model.count(client, kind);
                        expected[client].extend(message(PROTOCOLS[client], &parts, Some(count)));
                    }
                    if names.is_empty() {
                        let count = model.count(client, kind);
                        let parts = [Some(word.as_str()), None];
                        expected[client].extend(message(PROTOCOLS[client], &parts, Some(count)));
                    }
                }
                Step::Publish(kind, name) => {
                    let text = number.to_string();
                    let (got, all) = model.publish(kind, name, &text);
                    node.ask(PUBLISHER, &[&kind.word("", "publish"), name, &text]);
                    expected[PUBLISHER].extend(format!(":{all}\r\n").into_bytes());
                    for (expected, got) in expected.iter_mut().zip(got) {
                        expected.extend(got);
                    }
                }
                Step::Reset(client) => {
                    model.listens[client].clear();
                    node.ask(client, &["RESET"]);
                    expected[client].extend(b"+RESET\r\n");
                    if PROTOCOLS[client] == Protocol::Resp3 {
                        let before = node.received[&node.clients[client].0].len();
                        node.ask(client, &["HELLO", "3"]);
                        let id = node.clients[client].0;
                        node.received.get_mut(&id).unwrap().truncate(before);
                    }
                }
                Step::Reconnect(client) => {
                    model.listens[client].clear();
                    let (gone, protocol) = node.clients[client];
                    node.engine.disconnect(gone);
                    let id = node.engine.connect(String::new(), String::new(), now());
                    let received = node.received.remove(&gone).unwrap();
                    node.clients[client].0 = id;
                    node.received.insert(id, Vec::new());
                    if protocol == Protocol::Resp3 {
                        node.ask(client, &["HELLO", "3"]);
                    }
                    node.received.insert(id, received);
                }
            }
        }
        for (client, expected) in expected.iter().enumerate() {
            let received = &node.received[&node.clients[client].0];
            prop_assert_eq!(
                String::from_utf8_lossy(received),
                String::from_utf8_lossy(expected)
            );
        }
        let channels = &node.engine.server.channels;
        let listening = model.listens.iter().filter(|listens| !listens.is_empty());
        prop_assert_eq!(channels.clients(), listening.count());
    }
}

#[test]
fn a_message_waits_for_what_its_publisher_did_and_for_nothing_else() {
    let mut engine = engine();
    engine.set_journalling(Journalling::On);
    let mut connect = || engine.connect(String::new(), String::new(), now());
    let (listener, publisher, other) = (connect(), connect(), connect());
    let mut ask = |client: SessionId, words: &str| -> (Lsn, Option<Lsn>) {
        let argv: ArgvBuf = words.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let outcome = engine.request(client, argv.as_argv(), now(), &mut reply);
        let messages = engine.take_deliveries();
        assert!(messages.iter().all(|message| message.session == listener));
        (
            outcome.depends_on,
            messages.first().map(|message| message.depends_on),
        )
    };
    ask(listener, "SUBSCRIBE x");
    // What another did is no matter.
    let (others, _) = ask(other, "SET k v");
    assert!(others > Lsn::ZERO);
    assert_eq!(ask(publisher, "PUBLISH x 1"), (Lsn::ZERO, Some(Lsn::ZERO)));
    let (written, _) = ask(publisher, "SET k w");
    assert!(written > others);
    assert_eq!(ask(publisher, "PUBLISH x 2").1, Some(written));
    // All of a transaction, also what comes after it there.
    for words in ["MULTI", "PUBLISH x 3", "SET k x"] {
        ask(publisher, words);
    }
    let (transaction, message) = ask(publisher, "EXEC");
    assert!(transaction > written);
    assert_eq!(message, Some(transaction));
    // What it has read counts too.
    ask(other, "GET k");
    assert_eq!(ask(other, "PUBLISH x 4").1, Some(transaction));
}

#[test]
fn messages_to_the_same_clients_go_out_together() {
    let mut node = Node::new(&[Protocol::Resp2; 3]);
    node.ask(0, &["SUBSCRIBE", "x"]);
    node.ask(1, &["SUBSCRIBE", "x"]);
    let publisher = node.clients[2].0;
    for _ in 0..16 {
        let argv: ArgvBuf = ["PUBLISH", "x", "m"].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = node
            .engine
            .request(publisher, argv.as_argv(), now(), &mut reply);
    }
    assert_eq!(node.engine.take_outbox().len(), 1);
}
