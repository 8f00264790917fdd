//! What one request makes the engine do grows with the request and with what it asks about, not
//! with the product of both. The sizes are such that a product would not come to an end.

use engine::config::Settings;
use engine::session::SessionId;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// A server without a log, and its clock.
struct Server {
    engine: Engine,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        Server {
            engine: Engine::new(Settings::default(), 7, now),
            now,
        }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    fn ask<A: AsRef<[u8]>>(&mut self, session: SessionId, argv: &[A]) -> String {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = argv.iter().map(AsRef::as_ref).collect();
        let _ = self
            .engine
            .request(session, argv.as_argv(), self.now, &mut reply);
        String::from_utf8_lossy(&reply.take()).into_owned()
    }
}

/// Arguments: these words, and then as many keys.
fn with_keys(words: &[&str], count: usize) -> Vec<String> {
    let keys = (0..count).map(|n| format!("k{n}"));
    words
        .iter()
        .map(|word| (*word).to_owned())
        .chain(keys)
        .collect()
}

/// Squared, it is more than a test can wait for.
const MANY: usize = 100_000;

#[test]
fn many_keys_are_watched_one_by_one() {
    let mut server = Server::new();
    let (watcher, writer) = (server.connect(), server.connect());
    let watch = with_keys(&["WATCH"], MANY);
    assert_eq!(server.ask(watcher, &watch), "+OK\r\n");
    assert_eq!(server.ask(watcher, &watch), "+OK\r\n");
    assert!(
        server
            .ask(watcher, &["CLIENT", "INFO"])
            .contains(&format!(" watch={MANY} "))
    );
    server.ask(writer, &["SET", "k7", "v"]);
    server.ask(watcher, &["MULTI"]);
    assert_eq!(server.ask(watcher, &["EXEC"]), "*-1\r\n");
    assert!(
        server
            .ask(watcher, &["CLIENT", "INFO"])
            .contains(" watch=0 ")
    );
}

#[test]
fn a_transaction_touches_many_awaited_keys_one_by_one() {
    let mut server = Server::new();
    let (reader, writer) = (server.connect(), server.connect());
    let mut read = with_keys(&["XREAD", "BLOCK", "0", "STREAMS"], MANY);
    read.extend(std::iter::repeat_n("9999999999999-0".to_owned(), MANY));
    assert_eq!(server.ask(reader, &read), "");
    server.ask(writer, &["MULTI"]);
    for n in 0..MANY {
        let key = format!("k{n}");
        server.ask(writer, &["XADD", &key, "1-1", "f", "v"]);
        // Twice in one transaction: each key is looked at once.
        server.ask(writer, &["XADD", &key, "1-2", "f", "v"]);
    }
    server.ask(writer, &["EXEC"]);
    assert_eq!(server.engine.take_outbox(), []);
    server.ask(writer, &["XADD", "k7", "9999999999999-1", "f", "v"]);
    let delivered = server.engine.take_outbox();
    assert!(matches!(&delivered[..], [one] if one.session == reader));
}
