//! A reply that is more than its client may have is not built to its end: what only reads stops, and what changes
//! something does all of it. The work is counted in bytes that were written for nobody.

use engine::config::Settings;
use engine::session::SessionId;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// A server without a log.
struct Server {
    engine: Engine,
    client: SessionId,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        let debugging = settings.set("enable-debug-command", "yes");
        assert_eq!(debugging, Ok(()));
        let mut engine = Engine::new(settings, 7, now);
        let client = engine.connect(String::new(), String::new(), now);
        Server {
            engine,
            client,
            now,
        }
    }

    fn ask<A: AsRef<[u8]>>(&mut self, argv: &[A], reply: &mut Reply) {
        let argv: ArgvBuf = argv.iter().map(AsRef::as_ref).collect();
        let _ = self
            .engine
            .request(self.client, argv.as_argv(), self.now, reply);
    }

    fn text<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> String {
        let mut reply = Reply::new(Protocol::Resp2);
        self.ask(argv, &mut reply);
        String::from_utf8_lossy(&reply.into_bytes()).into_owned()
    }

    fn words(&mut self, request: &str) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        self.text(&words)
    }
}

/// What a client may have,
const BYTES_MAX: usize = 10_000;
/// what is written at most before it is noticed that this is more,
const DROPPED_BYTES_MAX: usize = 300_000;
/// and what a whole reply has at least.
const WHOLE_BYTES_MIN: usize = 600_000;

/// Entries of the stream `s`.
const ENTRIES: usize = 25_000;

fn with_stream(server: &mut Server) {
    let value = "v".repeat(100);
    for ms in 1..=ENTRIES {
        server.text(&["XADD", "s", &ms.to_string(), "f", &value]);
    }
}

fn with_pending(server: &mut Server) {
    with_stream(server);
    server.words("XGROUP CREATE s g 0");
    server.words("XREADGROUP GROUP g a STREAMS s >");
}

fn with_consumers(server: &mut Server) {
    server.words("XGROUP CREATE s g 0 MKSTREAM");
    for number in 0..ENTRIES {
        server.words(&format!("XADD s {} f v", number + 1));
        server.words(&format!(
            "XREADGROUP GROUP g consumer:{number} COUNT 1 STREAMS s >"
        ));
    }
}

fn with_groups(server: &mut Server) {
    for number in 0..ENTRIES {
        server.words(&format!("XGROUP CREATE s group:{number} 0 MKSTREAM"));
    }
}

fn with_keys(server: &mut Server) {
    for number in 0..ENTRIES {
        server.text(&["SET", &format!("key:{number}:{}", "k".repeat(60)), "v"]);
    }
}

fn with_a_string(server: &mut Server) {
    server.text(&["SET", "k", &"v".repeat(400)]);
}

fn with_slow_requests(server: &mut Server) {
    server.words("CONFIG SET slowlog-max-len 100000 slowlog-log-slower-than 0");
    for number in 0..ENTRIES {
        let value = format!("{number}:{}", "v".repeat(100));
        let argv: ArgvBuf = ["SET", "k", &value].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let (client, now) = (server.client, server.now);
        let _ = server
            .engine
            .request(client, argv.as_argv(), now, &mut reply);
        let last = Some((client, argv.as_argv()));
        server.engine.measured(last, 1_000_000, now);
    }
}

fn nothing(_: &mut Server) {}

/// A request whose last word comes many times.
fn many(words: &str) -> Vec<String> {
    let mut argv: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let last = argv.last().cloned().unwrap_or_default();
    argv.resize(argv.len() + ENTRIES, last);
    argv
}

fn one(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn streams(words: &str) -> Vec<String> {
    let mut argv = one(words);
    argv.extend(std::iter::repeat_n("s".to_owned(), 100));
    argv.extend(std::iter::repeat_n("0".to_owned(), 100));
    argv
}

type Reading = (fn(&mut Server), Vec<String>);

/// At least one of each family whose replies grow with data or arguments.
fn reading() -> Vec<Reading> {
    vec![
        (with_stream, one("XRANGE s - +")),
        (with_stream, one("XREVRANGE s + -")),
        (with_stream, one("XREAD STREAMS s 0")),
        (with_stream, streams("XREAD COUNT 100 STREAMS")),
        (with_stream, one("XREAD MAXSIZE 100000000 STREAMS s 0")),
        (with_stream, one("XINFO STREAM s FULL COUNT 0")),
        (with_pending, one("XPENDING s g - + 1000000")),
        (with_pending, one("XPENDING s g - + 1000000 a")),
        (with_pending, one("XPENDING s g IDLE 0 - + 1000000")),
        (with_pending, one("XINFO STREAM s FULL COUNT 0")),
        (with_consumers, one("XPENDING s g")),
        (with_consumers, one("XINFO CONSUMERS s g")),
        (with_consumers, one("XINFO STREAM s FULL COUNT 0")),
        (with_groups, one("XINFO GROUPS s")),
        (with_groups, one("XINFO STREAM s FULL")),
        (with_keys, one("KEYS *")),
        (with_keys, one("SCAN 0 COUNT 1000000")),
        (with_a_string, many("MGET k")),
        (with_a_string, many("DEBUG DIGEST-VALUE k")),
        (nothing, many("COMMAND INFO xadd")),
        (nothing, many("COMMAND DOCS xadd")),
        (nothing, many("COMMAND GETKEYSANDFLAGS MGET k")),
        (nothing, many("CLIENT LIST ID 1")),
        (with_slow_requests, one("SLOWLOG GET -1")),
    ]
}

#[test]
fn what_only_reads_stops_when_its_reply_is_full() {
    for (fill, argv) in reading() {
        let name: Vec<&str> = argv.iter().take(8).map(String::as_str).collect();
        let name = name.join(" ");
        let mut server = Server::new();
        fill(&mut server);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut whole = Reply::new(protocol);
            server.ask(&argv, &mut whole);
            assert!(whole.len() > WHOLE_BYTES_MIN, "{name}: {}", whole.len());

            let mut reply = Reply::new(protocol);
            reply.ok();
            let _ = reply.begin_part(BYTES_MAX);
            server.ask(&argv, &mut reply);
            assert!(reply.is_full(), "{name}");
            let dropped = reply.dropped();
            assert!(dropped < DROPPED_BYTES_MAX, "{name}: {dropped} in vain");
            assert_eq!(reply.into_bytes(), b"+OK\r\n");
        }
    }
}
