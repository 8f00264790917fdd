//! What a reply depends on: the client that got it must find it true after a crash that took back
//! everything later.
//!
//! The recorded cases run on an engine. For each request the engine says which batch its reply
//! depends on. Another engine is given the effects up to there and no more, as if the machine had
//! been lost just then, and the same request must be answered there in the same way. What wrote
//! something depends on its own batch.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::table::{Flags, Group};
use engine::{Author, Engine, Lsn, Mono, Next, Now};
use resp::{ArgvBuf, Protocol, Reply};
use serde_json::Value;

/// Commands whose replies tell of more than what was logged, and what that is.
const TELL_MORE: &[(&str, &str)] = &[
    ("memory", "how much the allocator was asked for"),
    ("object", "when a key was used last"),
    ("randomkey", "a random number"),
    ("scan", "how tables have split and merged"),
    ("wait", "what others have"),
    ("waitaof", "how far the log is"),
    ("xinfo", "when a consumer was seen last"),
];

/// What happened, and in which batches.
struct Written {
    bytes: Vec<u8>,
    last: Lsn,
}

/// An engine with clients, and all that it wrote.
struct Node {
    engine: Engine,
    clients: BTreeMap<String, Client>,
    written: Vec<Written>,
    now_ms: u64,
}

struct Client {
    session: SessionId,
    protocol: Protocol,
    /// What was queued since `MULTI`, itself the first.
    queue: Vec<ArgvBuf>,
    is_waiting: bool,
}

/// What the checks have seen.
#[derive(Default)]
struct Seen {
    /// Requests that wrote something.
    writes: usize,
    /// Others, after which something could be taken back.
    checks: usize,
    commands: BTreeSet<String>,
    failures: Vec<String>,
}

const START_MS: u64 = 1_790_000_000_000;
const SEED: u64 = 7;

fn now(ms: u64) -> Now {
    Now {
        unix_us: ms as i64 * 1000,
        mono: Mono(ms - START_MS),
    }
}

impl Node {
    fn new() -> Node {
        let mut settings = Settings::default();
        // Some cases make the longest string there may be, which is not the point here.
        settings.set("proto-max-bulk-len", "1mb").unwrap();
        let mut engine = Engine::new(settings, SEED, now(START_MS), &commands::TABLE);
        engine.set_journalling(Journalling::On);
        Node {
            engine,
            clients: BTreeMap::new(),
            written: Vec::new(),
            now_ms: START_MS,
        }
    }

    fn note_written(&mut self) {
        let last = self.engine.log().last();
        let bytes = std::mem::take(self.engine.effects()).to_vec();
        self.engine.effects_taken();
        if !bytes.is_empty() {
            self.written.push(Written { bytes, last });
        }
        for delivery in self.engine.take_deliveries() {
            for client in self.clients.values_mut() {
                client.is_waiting &= client.session != delivery.session;
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        self.engine.timer(now(self.now_ms));
        self.note_written();
    }

    fn client(&mut self, name: &str, protocol: Protocol) -> &mut Client {
        if !self.clients.contains_key(name) {
            let (session, _) = connect(&mut self.engine, protocol, 0, now(self.now_ms));
            let client = Client {
                session,
                protocol,
                queue: Vec::new(),
                is_waiting: false,
            };
            self.clients.insert(name.to_owned(), client);
        }
        self.clients.get_mut(name).unwrap()
    }

    /// Runs a request and checks its reply. Whether that was checked is noted.
    fn run(&mut self, name: &str, protocol: Protocol, argv: &ArgvBuf, lost: u64, seen: &mut Seen) {
        let client = self.client(name, protocol);
        if client.is_waiting {
            return;
        }
        let (session, queue) = (client.session, client.queue.clone());
        let database = self.engine.server.sessions.find(session).unwrap().database;
        let (at, before) = (now(self.now_ms), self.engine.log().last());
        let mut reply = Reply::new(protocol);
        let outcome = self.engine.request(session, argv.as_argv(), at, &mut reply);
        self.note_written();
        let client = self.clients.get_mut(name).unwrap();
        client.is_waiting = outcome.then == Next::Wait;
        client.protocol = reply.protocol();
        let command = lower(argv);
        let is_in_transaction = self
            .engine
            .server
            .sessions
            .find(session)
            .is_some_and(|session| session.transaction.is_some());
        if is_in_transaction {
            client.queue.push(argv.clone());
            return;
        }
        client.queue.clear();
        if outcome.then != Next::Continue || !is_checked(&self.engine, &command) {
            return;
        }
        // A transaction that was given up for what it watched tells of a moment before.
        let mut requests = vec![argv.clone()];
        if matches!(command.as_str(), "exec" | "discard") {
            if matches!(reply.as_bytes(), b"*-1\r\n" | b"_\r\n") {
                return;
            }
            requests.splice(0..0, queue);
        }
        let kept = Lsn::new(outcome.depends_on.number().saturating_sub(lost));
        seen.commands.insert(command);
        let after = self.engine.log().last();
        if after > before {
            seen.writes += 1;
            // Further batches are those of clients that were waiting.
            if kept <= before {
                seen.failures
                    .push(format!("{argv:?} wrote {after:?} and depends on {kept:?}"));
            }
            return;
        }
        if kept >= before {
            return;
        }
        seen.checks += 1;
        let mut other = self.recovered(kept);
        let (session, _) = connect(&mut other, protocol, database, at);
        let mut again = Reply::new(protocol);
        for request in &requests {
            again = Reply::new(protocol);
            let _ = other.request(session, request.as_argv(), at, &mut again);
        }
        if again.as_bytes() != reply.as_bytes() {
            seen.failures.push(format!(
                "{argv:?} depends on {kept:?} of {before:?} and is answered {}, then {}",
                reply.as_bytes().escape_ascii(),
                again.as_bytes().escape_ascii(),
            ));
        }
    }

    /// An engine after a crash that kept the batches up to this one. What was written at once is
    /// kept as a whole.
    fn recovered(&self, kept: Lsn) -> Engine {
        let mut settings = self.engine.server.settings.clone();
        // What was logged means the same under any settings.
        settings.set("stream-idmp-duration", "1").unwrap();
        let mut engine = Engine::new(settings, SEED, now(START_MS), &commands::TABLE);
        let mut replay = engine.begin_replay(Now::default());
        let mut last = Lsn::ZERO;
        for written in &self.written {
            if last >= kept {
                break;
            }
            engine
                .replay(&mut replay, &written.bytes, Author::Weir)
                .unwrap();
            last = written.last;
        }
        engine.end_replay(replay, last, Journalling::On);
        engine
    }
}

fn connect(engine: &mut Engine, protocol: Protocol, database: u16, at: Now) -> (SessionId, Reply) {
    let session = engine.connect(String::new(), String::new(), at);
    let mut reply = Reply::new(Protocol::Resp2);
    let database = database.to_string();
    let mut ask = |request: &[&str]| {
        let argv: ArgvBuf = request.iter().collect();
        let _ = engine.request(session, argv.as_argv(), at, &mut reply);
    };
    if protocol == Protocol::Resp3 {
        ask(&["HELLO", "3"]);
    }
    ask(&["SELECT", &database]);
    (session, reply)
}

fn lower(argv: &ArgvBuf) -> String {
    let name = argv.as_argv().get(0).unwrap_or_default();
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

/// Returns whether a command's replies tell of keys, and of nothing but what was logged.
fn is_checked(engine: &Engine, command: &str) -> bool {
    let Some(row) = engine.server.commands.find(command.as_bytes()) else {
        return false;
    };
    // Scripts need a host, which is not part of the core; who listens is not logged.
    let is_about_keys = match row.spec.group {
        Group::Connection | Group::PubSub | Group::Scripting => false,
        Group::Server => command == "dbsize",
        _ => true,
    };
    is_about_keys && TELL_MORE.iter().all(|(name, _)| *name != command)
}

/// The bytes that the characters of a text stand for.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}

/// Runs a case as far as it goes without values that an earlier reply gave.
fn run_case(case: &Value, lost: u64, seen: &mut Seen) {
    let protocol = if case["resp"] == 3 {
        Protocol::Resp3
    } else {
        Protocol::Resp2
    };
    let before = seen.failures.len();
    let mut node = Node::new();
    for step in case["steps"].as_array().unwrap() {
        // Time passes between steps, so that effects have different times.
        node.pass(1 + step["sleep_ms"].as_u64().unwrap_or(0));
        let Some(arguments) = step["cmd"].as_array() else {
            continue;
        };
        let Some(arguments) = arguments
            .iter()
            .map(|argument| argument.as_str().map(bytes))
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let name = step["client"].as_str().unwrap_or("main");
        node.run(name, protocol, &arguments.iter().collect(), lost, seen);
    }
    let name = case["name"].as_str().unwrap();
    for failure in &mut seen.failures[before..] {
        *failure = format!("{name}: {failure}");
    }
}

/// Runs all cases; `lost` batches more are taken back than the replies allow.
fn run_all(lost: u64) -> Seen {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut seen = Seen::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Who may do what is not in the journal: after a crash everybody is the default user.
        let is_of_users = path.ends_with("acl.jsonl");
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl" && !is_of_users)
        {
            for line in std::fs::read_to_string(path).unwrap().lines() {
                run_case(&serde_json::from_str(line).unwrap(), lost, &mut seen);
            }
        }
    }
    seen
}

#[test]
fn a_reply_holds_after_a_crash_that_keeps_no_more_than_it_depends_on() {
    let seen = run_all(0);
    assert!(
        seen.failures.is_empty(),
        "{} of {}:\n{}",
        seen.failures.len(),
        seen.checks,
        seen.failures.join("\n")
    );
    assert!(
        seen.writes > 1000 && seen.checks > 300,
        "{} and {}",
        seen.writes,
        seen.checks
    );
    let engine = Node::new().engine;
    let missing: Vec<&str> = engine
        .server
        .commands
        .iter()
        .filter(|row| row.container.is_empty() && row.spec.flags.has(Flags::READONLY))
        .map(|row| row.spec.name)
        .filter(|name| is_checked(&engine, name) && !seen.commands.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}

#[test]
fn a_reply_that_left_too_early_is_found_out() {
    assert!(run_all(1).failures.len() > 1000);
}
