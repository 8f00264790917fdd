//! What happens is called what Redis calls it: the scripts in `tests/events` say what Redis
//! published.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use commands::TABLE;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::server::Order;
use engine::server::migrations::Transferred;
use engine::store::notifications::Classes;
use engine::table::{Flags, Group};
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// A line of a script.
enum Step {
    Part,
    Sleep { ms: u64 },
    Request(Request),
}

/// A request, and what is published for it: class, event, database, key.
struct Request {
    client: String,
    text: String,
    events: Vec<String>,
    /// What weir says instead, where it differs.
    instead: Option<Vec<String>>,
}

/// An engine with clients, to whose events somebody listens.
struct Node {
    engine: Engine,
    clients: BTreeMap<String, SessionId>,
    now_ms: u64,
}

impl Node {
    fn new() -> Node {
        let now_ms = 1_790_000_000_000;
        let mut settings = Settings::default();
        settings.set("enable-debug-command", "yes").unwrap();
        let mut engine = Engine::new(settings, 7, now(now_ms), &TABLE);
        engine.listen_to(Classes::ALL);
        Node {
            engine,
            clients: BTreeMap::new(),
            now_ms,
        }
    }

    /// Runs a request, and tells what is published for it.
    fn run(&mut self, client: &str, argv: &ArgvBuf) -> Vec<String> {
        let at = now(self.now_ms);
        let engine = &mut self.engine;
        let session = *self
            .clients
            .entry(client.to_owned())
            .or_insert_with(|| engine.connect(String::new(), String::new(), at));
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, argv.as_argv(), at, &mut reply);
        let reply = reply.into_bytes();
        assert!(
            reply.first() != Some(&b'-'),
            "{argv:?}: {}",
            reply.escape_ascii()
        );
        for order in engine.take_orders() {
            if let Order::Migrate(transfer) = order {
                let taken = vec![true; transfer.items.len()];
                let transferred = Transferred {
                    taken,
                    failure: None,
                };
                engine.migration_ended(transfer.number, transferred, at);
            }
        }
        let events = engine.take_notifications().into_iter();
        events
            .map(|event| {
                format!(
                    "{} {} {} {}",
                    event.class.letter(),
                    event.event,
                    event.database,
                    event.key.escape_ascii()
                )
            })
            .collect()
    }
}

fn now(ms: u64) -> Now {
    Now {
        unix_us: ms as i64 * 1000,
        mono: Mono(ms),
    }
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect()
}

fn steps(script: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in std::fs::read_to_string(script).unwrap().lines() {
        let last = match steps.last_mut() {
            Some(Step::Request(request)) => Some(request),
            _ => None,
        };
        if line.starts_with("## ") {
            steps.push(Step::Part);
        } else if let Some(ms) = line.strip_prefix("sleep ") {
            let ms = ms.parse().unwrap();
            steps.push(Step::Sleep { ms });
        } else if let Some(event) = line.strip_prefix("!   ") {
            let instead = last.unwrap().instead.as_mut();
            instead.unwrap().push(event.to_owned());
        } else if line.starts_with("! ") {
            last.unwrap().instead = Some(Vec::new());
        } else if let Some(event) = line.strip_prefix("  ") {
            last.unwrap().events.push(event.to_owned());
        } else if let Some((client, text)) = line.split_once("> ") {
            let client = match client.trim_end_matches('~') {
                "" => "main",
                client => client,
            };
            steps.push(Step::Request(Request {
                client: client.to_owned(),
                text: text.to_owned(),
                events: Vec::new(),
                instead: None,
            }));
        } else {
            assert!(line.is_empty() || line.starts_with("# "), "{line}");
        }
    }
    steps
}

fn words(text: &str) -> ArgvBuf {
    resp::split_line(text.as_bytes()).unwrap()
}

#[test]
fn each_request_publishes_what_redis_published() {
    let (mut compared, mut failures) = (0, Vec::new());
    for script in scripts() {
        let mut node = Node::new();
        for step in steps(&script) {
            match step {
                Step::Part => node = Node::new(),
                Step::Sleep { ms } => node.now_ms += ms,
                Step::Request(request) => {
                    let events = node.run(&request.client, &words(&request.text));
                    compared += 1;
                    let text = &request.text;
                    assert_ne!(request.instead.as_ref(), Some(&request.events), "{text}");
                    let expected = request.instead.unwrap_or(request.events);
                    if events != expected {
                        failures.push(format!("{text}\n  {events:?}\nnot {expected:?}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > 200, "{compared}");
}

#[test]
fn every_command_that_writes_has_its_events_recorded() {
    let mut seen = BTreeSet::new();
    for script in scripts() {
        for step in steps(&script) {
            if let Step::Request(request) = step {
                let words: Vec<String> = request
                    .text
                    .split(' ')
                    .take(2)
                    .map(str::to_ascii_lowercase)
                    .collect();
                seen.insert(words[0].clone());
                seen.insert(words.join("|"));
            }
        }
    }
    let missing: Vec<String> = TABLE
        .rows()
        .iter()
        .filter(|row| row.spec.flags.has(Flags::WRITE) && !row.is_container())
        // Libraries of functions are no keys, and nobody hears of them.
        .filter(|row| row.spec.group != Group::Scripting)
        .map(|row| match row.container {
            "" => row.spec.name.to_owned(),
            container => format!("{container}|{}", row.spec.name),
        })
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "no script has {missing:?}");
}
