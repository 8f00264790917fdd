//! The second of three nodes of a group, without sockets and threads, and clients of it.

use commands::TABLE;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::topology::{LogFigures, LogHealth, Node, NodeId, Role, Topology};
use engine::{Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// The second of three nodes, and clients of it.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
}

impl Server {
    pub(crate) fn new() -> Server {
        Server::with(&[])
    }

    pub(crate) fn with(given: &[(&str, &str)]) -> Server {
        let mut settings = Settings::default();
        for (name, value) in given {
            settings.set(name, value).unwrap();
        }
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(5000),
        };
        Server {
            engine: Engine::new(settings, 7, now, &TABLE),
            now,
        }
    }

    pub(crate) fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    pub(crate) fn ask(&mut self, client: SessionId, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let reply = self.ask_words(client, &argv);
        String::from_utf8(reply).unwrap()
    }

    pub(crate) fn ask_words(&mut self, client: SessionId, argv: &ArgvBuf) -> Vec<u8> {
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(client, argv.as_argv(), self.now, &mut reply);
        reply.into_bytes()
    }

    /// This node sees that one, or none, leads.
    pub(crate) fn follow(&mut self, leader: Option<u64>) {
        let view = leader.map(|leader| self.view(leader));
        self.engine.set_topology(view);
    }

    pub(crate) fn view(&self, leader: u64) -> Topology {
        let node = |number| Node {
            id: NodeId::new("shop", number),
            host: format!("10.0.0.{number}"),
            port: 6379,
            applied: Lsn::ZERO,
            heard: self.now.mono,
            is_down: false,
            version: String::new(),
        };
        Topology {
            name: "shop".to_owned(),
            own: NodeId::new("shop", 2),
            role: match leader {
                2 => Role::Leader,
                _ => Role::Follower,
            },
            epoch: leader,
            leader: Some(NodeId::new("shop", leader)),
            nodes: (1..=3).map(node).collect(),
            down_after_ms: 2500,
            lease_until: None,
            durable: Lsn::ZERO,
            current_at: Some(self.now.mono),
            log: LogHealth::Good,
            figures: LogFigures::default(),
        }
    }

    /// This node hears of all others, of which the first has applied this.
    pub(crate) fn hear(&mut self, leader: u64, applied: Lsn) {
        let mut view = self.view(leader);
        view.nodes[0].applied = applied;
        self.engine.set_topology(Some(view));
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now.unix_us += ms as i64 * 1000;
        self.now.mono = self.now.mono.plus(ms);
    }

    /// Each request is answered so.
    pub(crate) fn check(&mut self, client: SessionId, expected: &[(&str, &str)]) {
        for (request, reply) in expected {
            assert_eq!(self.ask(client, request), *reply, "{request}");
        }
    }

    /// What has come to a client since this was asked last.
    pub(crate) fn received(&mut self, client: SessionId) -> String {
        let deliveries = self.engine.take_deliveries().into_iter();
        let own = deliveries.filter(|delivery| delivery.session == client);
        let bytes = own.flat_map(|delivery| delivery.bytes.into_bytes());
        String::from_utf8(bytes.collect()).unwrap()
    }
}
