//! A server without sockets and threads, and one that was given its log.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// A server, one client of it, and its clock.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    session: SessionId,
    pub(crate) now: Now,
    /// The log of the server whose log this one was given.
    log_before: Vec<u8>,
}

impl Node {
    pub(crate) fn new() -> Node {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        settings.set("enable-debug-command", "yes").unwrap();
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), now);
        Node {
            engine,
            session,
            now,
            log_before: Vec::new(),
        }
    }

    pub(crate) fn ask(&mut self, request: &str) -> String {
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), self.now, &mut reply);
        String::from_utf8(reply.into_bytes()).unwrap()
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now.unix_us += ms as i64 * 1000;
        self.now.mono = self.now.mono.plus(ms);
    }

    /// A server that was given what this one has logged.
    pub(crate) fn replayed(&mut self) -> Node {
        let mut other = Node::new();
        let mut replay = other.engine.begin_replay(other.now);
        let mut effects = self.log_before.clone();
        effects.append(&mut self.engine.log().encoded().to_vec());
        other
            .engine
            .replay(&mut replay, &effects, Author::Weir)
            .unwrap();
        other
            .engine
            .end_replay(replay, Lsn::new(1), Journalling::On);
        other.now = self.now;
        other.log_before = effects;
        other
    }

    /// Asks both a server that was given the log of this one, and this one.
    pub(crate) fn same(&mut self, requests: &[&str]) {
        let mut other = self.replayed();
        for request in requests {
            assert_eq!(other.ask(request), self.ask(request), "{request}");
        }
    }
}
