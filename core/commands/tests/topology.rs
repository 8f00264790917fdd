//! A node of a group: what its clients are told of the others.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use commands::TABLE;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::topology::{LogHealth, Node, NodeId, Role, Topology};
use engine::{Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// The second of three nodes, and clients of it.
struct Server {
    engine: Engine,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(5000),
        };
        Server {
            engine: Engine::new(Settings::default(), 7, now, &TABLE),
            now,
        }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    fn ask(&mut self, client: SessionId, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(client, argv.as_argv(), self.now, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    /// This node sees that one, or none, leads.
    fn follow(&mut self, leader: Option<u64>) {
        let view = leader.map(|leader| self.view(leader));
        self.engine.set_topology(view);
    }

    fn view(&self, leader: u64) -> Topology {
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
        }
    }

    /// What has come to a client since this was asked last.
    fn received(&mut self, client: SessionId) -> String {
        let deliveries = self.engine.take_deliveries().into_iter();
        let own = deliveries.filter(|delivery| delivery.session == client);
        let bytes = own.flat_map(|delivery| delivery.bytes.into_bytes());
        String::from_utf8(bytes.collect()).unwrap()
    }
}

#[test]
fn who_listens_hears_of_a_new_leader() {
    let mut server = Server::new();
    let client = server.connect();
    server.ask(client, "SUBSCRIBE +switch-master");
    server.follow(Some(1));
    assert_eq!(server.received(client), "");
    server.follow(Some(3));
    let message = "shop 10.0.0.1 6379 10.0.0.3 6379";
    let length = message.len();
    let pushed =
        format!("*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n${length}\r\n{message}\r\n");
    assert_eq!(server.received(client), pushed);
    server.follow(None);
    assert_eq!(server.engine.topology(), None);
    assert_eq!(server.received(client), "");
}

#[test]
fn clients_of_a_leader_look_for_the_next_one() {
    let mut server = Server::new();
    let (waits, other) = (server.connect(), server.connect());
    server.follow(Some(2));
    server.ask(waits, "BLPOP list 0");
    server.follow(Some(3));
    let told = server.received(waits);
    assert!(told.starts_with("-UNBLOCKED "), "{told}");
    assert_eq!(server.engine.server.sessions.len(), 0);
    assert_eq!(server.ask(other, "PING"), "");
}
