//! `HOTKEYS` counts what a transaction does when it runs, and nothing of what is only queued.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Next, Now};
use resp::{ArgvBuf, Protocol, Reply};

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

/// An engine, and one client of it. Each request takes as long.
struct Node {
    engine: Engine,
    session: SessionId,
}

const REQUEST_NS: u64 = 600;

/// Keys, and how much each took.
type Weights = Vec<(String, u64)>;

impl Node {
    fn new() -> Node {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), NOW);
        Node { engine, session }
    }

    fn ask(&mut self, request: &str) {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = request.split(' ').collect();
        let argv = argv.as_argv();
        let outcome = self.engine.request(self.session, argv, NOW, &mut reply);
        assert_eq!(outcome.then, Next::Continue);
        let written = reply.as_bytes().len();
        let request = (self.session, argv);
        self.engine.note_hot_keys(request, REQUEST_NS, written, NOW);
    }

    /// The keys with the most time, and with the most bytes.
    fn found(&self) -> (Weights, Weights) {
        let Some(hot) = &self.engine.server.hot_keys else {
            return Default::default();
        };
        [&hot.by_time, &hot.by_bytes]
            .map(|heaviest| {
                let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
                let found = heaviest.iter().map(|(key, weight)| (text(key), weight));
                found.collect()
            })
            .into()
    }
}

#[test]
fn a_transaction_counts_when_it_runs() {
    let mut node = Node::new();
    for request in [
        "HOTKEYS START METRICS 2 CPU NET",
        "MULTI",
        "SET k v",
        "GET k",
    ] {
        node.ask(request);
    }
    node.ask("MSET a 1 b 2");
    assert_eq!(node.found(), Default::default());
    node.ask("EXEC");
    let weights = |keys: &[(&str, u64)]| -> Weights {
        let weights = keys.iter();
        weights
            .map(|(key, weight)| ((*key).to_owned(), *weight))
            .collect()
    };
    // Bytes of the requests and of their replies: 27 + 5, 20 + 7, and 42 + 5 for two keys.
    let expected = (
        weights(&[("k", 400), ("b", 100), ("a", 100)]),
        weights(&[("k", 59), ("b", 23), ("a", 23)]),
    );
    assert_eq!(node.found(), expected);
    for request in ["MULTI", "SET dropped v", "DISCARD", "MULTI", "EXEC"] {
        node.ask(request);
    }
    assert_eq!(node.found(), expected);
}
