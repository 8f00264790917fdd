//! What requests cost from the parser to the reply, without sockets.
//!
//! `cargo run --release -p commands --example requests [part of a name [requests [rounds]]]`.
//! Nanoseconds per request in pipelines of 64, the best of several rounds, each on a new engine. To
//! count instructions, run it with one round under `valgrind --tool=callgrind
//! --toggle-collect='*requests::measure*'`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement has a clock and an output"
)]

use std::time::Instant;

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{KeysAhead, Limits, Parser, Protocol, Reply};

mod types;

/// What a client does: requests that prepare, and request number `n`, which is measured.
struct Work {
    name: &'static str,
    prepare: fn(u64) -> Vec<Vec<u8>>,
    request: fn(u64) -> Vec<u8>,
}

const STREAMS_AND_STRINGS: &[Work] = &[
    Work {
        name: "PING",
        prepare: |_| Vec::new(),
        request: |_| encode(&["PING"]),
    },
    Work {
        name: "SET",
        prepare: |_| Vec::new(),
        request: |n| encode(&["SET", &key(n), &text(n, 64)]),
    },
    Work {
        name: "GET",
        prepare: |count| {
            let keys = 0..KEYS.min(count);
            keys.map(|n| encode(&["SET", &key(n), &text(n, 64)]))
                .collect()
        },
        request: |n| encode(&["GET", &key(n)]),
    },
    Work {
        name: "SET by a user with 10 patterns",
        prepare: |_| become_user_of_ten_patterns(),
        request: |n| encode(&["SET", &key(n), &text(n, 64)]),
    },
    Work {
        name: "GET by a user with 10 patterns",
        prepare: |count| {
            let mut requests = (STREAMS_AND_STRINGS[2].prepare)(count);
            requests.extend(become_user_of_ten_patterns());
            requests
        },
        request: |n| encode(&["GET", &key(n)]),
    },
    Work {
        name: "XADD 1x64",
        prepare: |_| Vec::new(),
        request: |n| encode(&["XADD", "stream", "*", "payload", &text(n, 64)]),
    },
    Work {
        name: "XADD 5x16",
        prepare: |_| Vec::new(),
        request: |n| {
            let value = text(n, 16);
            encode(&[
                "XADD", "stream", "*", "device", &value, "reading", &value, "region", &value,
                "status", &value, "trace", &value,
            ])
        },
    },
    Work {
        name: "XADD IDMP 1x64",
        prepare: |_| Vec::new(),
        request: |n| {
            let (producer, iid) = (producer(n), format!("{n:016}"));
            let value = text(n, 64);
            encode(&[
                "XADD", "stream", "IDMP", &producer, &iid, "*", "payload", &value,
            ])
        },
    },
    Work {
        name: "XADD IDMPAUTO 1x64",
        prepare: |_| Vec::new(),
        request: |n| {
            let value = text(n, 64);
            encode(&[
                "XADD",
                "stream",
                "IDMPAUTO",
                &producer(n),
                "*",
                "payload",
                &value,
            ])
        },
    },
    Work {
        name: "XREADGROUP COUNT 10",
        prepare: |count| {
            let group = encode(&["XGROUP", "CREATE", "stream", "group", "0", "MKSTREAM"]);
            let entries = (0..10 * count)
                .map(|n| encode(&["XADD", "stream", &id(n), "payload", &text(n, 64)]));
            std::iter::once(group).chain(entries).collect()
        },
        request: |_| {
            encode(&[
                "XREADGROUP",
                "GROUP",
                "group",
                "one",
                "COUNT",
                "10",
                "STREAMS",
                "stream",
                ">",
            ])
        },
    },
    Work {
        name: "XACK of 10",
        prepare: |count| {
            let mut requests = (STREAMS_AND_STRINGS[9].prepare)(count);
            requests.extend((0..count).map(|n| (STREAMS_AND_STRINGS[9].request)(n)));
            requests
        },
        request: |n| {
            let ids: Vec<String> = (0..10).map(|i| id(10 * n + i)).collect();
            let mut args = vec!["XACK", "stream", "group"];
            args.extend(ids.iter().map(String::as_str));
            encode(&args)
        },
    },
    Work {
        name: "XRANGE COUNT 100",
        prepare: |_| {
            let entries = 0..10_000;
            let entries =
                entries.map(|n| encode(&["XADD", "stream", &id(n), "payload", &text(n, 64)]));
            entries.collect()
        },
        request: |n| {
            let start = id(n * 7919 % 9_900);
            encode(&["XRANGE", "stream", &start, "+", "COUNT", "100"])
        },
    },
];

/// The client acts as a user with ten patterns, of which the last one fits.
fn become_user_of_ten_patterns() -> Vec<Vec<u8>> {
    let others = (1..10).map(|n| format!("~{n}:*"));
    let words = ["ACL", "SETUSER", "u", "on", "nopass", "+@all"].map(str::to_owned);
    let words: Vec<String> = words
        .into_iter()
        .chain(others)
        .chain(["~key:*".to_owned()])
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    vec![encode(&words), encode(&["AUTH", "u", "x"])]
}

/// How many keys strings are kept under.
const KEYS: u64 = 100_000;

/// How many producers append.
const PRODUCERS: u64 = 50;

const PIPELINE: usize = 64;

fn key(n: u64) -> String {
    format!("key:{:012}", n.wrapping_mul(0x9e37_79b9) % KEYS)
}

fn id(n: u64) -> String {
    format!("{}-0", 1_700_000_000_000 + n)
}

fn producer(n: u64) -> String {
    format!("producer-{:04}", n / PIPELINE as u64 % PRODUCERS)
}

fn text(n: u64, len: usize) -> String {
    let mut state = n;
    let letter = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 59) as u8 % 26)
    };
    (0..len).map(letter).collect()
}

fn encode(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n{arg}\r\n", arg.len()).as_bytes());
    }
    bytes
}

struct Client {
    engine: Engine,
    session: SessionId,
    parser: Parser,
    reply: Reply,
    at_ms: u64,
}

impl Client {
    fn new() -> Client {
        let mut engine = Engine::new(Settings::default(), 1, now(0), &commands::TABLE);
        Client {
            session: engine.connect(String::new(), String::new(), now(0)),
            engine,
            parser: Parser::new(),
            reply: Reply::new(Protocol::Resp2),
            at_ms: 0,
        }
    }

    /// Runs a pipeline. Returns how many bytes were answered.
    fn run(&mut self, pipeline: &[u8]) -> usize {
        self.at_ms += 1;
        let now = now(self.at_ms / 16);
        let limits = Limits::default();
        let mut at = 0;
        let mut until_look = 0;
        self.reply.clear();
        while at < pipeline.len() {
            let rest = &pipeline[at..];
            let request = self.parser.parse(rest, &limits).unwrap().unwrap();
            if until_look == 0 {
                let ahead = KeysAhead::new(rest);
                until_look = match self.engine.look_ahead(self.session, request.argv, ahead) {
                    0 => usize::MAX,
                    looked => looked,
                };
            }
            until_look -= 1;
            let outcome = self
                .engine
                .request(self.session, request.argv, now, &mut self.reply);
            assert_eq!(outcome.then, engine::Next::Continue);
            at += request.consumed;
            if self.engine.wants_measuring() {
                self.engine
                    .measured(Some((self.session, request.argv)), 1, now);
            }
        }
        self.reply.len()
    }
}

fn now(ms: u64) -> Now {
    Now {
        unix_us: 1_790_000_000_000_000 + ms as i64 * 1000,
        mono: Mono(ms),
    }
}

fn pipelines(requests: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let requests: Vec<Vec<u8>> = requests.collect();
    requests
        .chunks(PIPELINE)
        .map(|chunk| chunk.concat())
        .collect()
}

/// What is measured; a function of its own, by whose name a tool can tell it from setting up.
#[inline(never)]
fn measure(client: &mut Client, pipelines: &[Vec<u8>]) -> usize {
    pipelines.iter().map(|pipeline| client.run(pipeline)).sum()
}

fn main() {
    let argument = |index| std::env::args().nth(index);
    let name = argument(1).unwrap_or_default();
    let number =
        |index, default| argument(index).map_or(default, |text| text.parse::<u64>().unwrap());
    let (count, rounds) = (number(2, 200_000), number(3, 7));
    let works = STREAMS_AND_STRINGS.iter().chain(types::WORKS);
    for work in works.filter(|work| work.name.contains(&name)) {
        let prepared = pipelines((work.prepare)(count).into_iter());
        let measured = pipelines((0..count).map(work.request));
        let mut best = f64::MAX;
        let mut bytes = 0;
        for _ in 0..rounds {
            let mut client = Client::new();
            for pipeline in &prepared {
                client.run(pipeline);
            }
            let begun = Instant::now();
            bytes = measure(&mut client, &measured);
            best = best.min(begun.elapsed().as_nanos() as f64 / count as f64);
        }
        println!(
            "{:<30} {best:7.1} ns, {} bytes answered",
            work.name,
            bytes / count as usize
        );
    }
}
