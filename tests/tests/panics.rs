//! What a bug of weir may cost: the process, but nothing that was acknowledged. Nobody ever sees
//! what it left half done.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::iter;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::value::Value;

/// How many clients append while the error happens.
const PRODUCERS: usize = 3;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many entries each of them has at least by then.
const ENTRIES_MIN: usize = 50;

fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("io-threads", "2")];
    all.extend(settings);
    Server::start_in(&peers::weir().unwrap(), data, &all).unwrap()
}

fn ask(client: &mut Client, request: &str) -> Value {
    client.command(&words(request)).unwrap()
}

fn words(request: &str) -> Vec<&str> {
    request.split(' ').collect()
}

/// Appends 1, 2, 3 … until the server is gone.
fn produce(client: &mut Client, stream: &str, acknowledged: &AtomicUsize) {
    for number in 1.. {
        let append = ["XADD", stream, "*", "number", &number.to_string()];
        if !matches!(client.command(&append), Ok(Value::Bulk(_))) {
            return;
        }
        acknowledged.store(number, Ordering::Release);
    }
}

/// A transaction that panics in the middle, while others append. Returns the end of the log.
fn fail_in_a_transaction(server: Server, acknowledged: &[AtomicUsize]) -> String {
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, "SET count 41");
    assert_eq!(ask(&mut client, "INCR count"), Value::Int(42));
    thread::scope(|scope| {
        for (number, acknowledged) in acknowledged.iter().enumerate() {
            let mut client = server.connect(Protocol::Resp2).unwrap();
            scope.spawn(move || produce(&mut client, &format!("s{number}"), acknowledged));
        }
        let are_at_work =
            |all: &[AtomicUsize]| all.iter().all(|n| n.load(Ordering::Acquire) >= ENTRIES_MIN);
        let begun = Instant::now();
        while !are_at_work(acknowledged) {
            assert!(begun.elapsed() < PATIENCE, "nothing is appended");
            thread::yield_now();
        }
        for request in [
            "MULTI",
            "INCR count",
            "SET half done",
            "XADD half-stream * f v",
            "XADD s0 * half done",
            "DEBUG PANIC",
            "SET other half",
            "EXEC",
        ] {
            client.send(&words(request)).unwrap();
        }
        let mut replies = iter::repeat_with(|| client.read().unwrap());
        let all_but_the_end = replies.by_ref().take_while(|reply| *reply != Value::Closed);
        let refused = all_but_the_end.filter(|reply| matches!(reply, Value::Error(_)));
        assert_eq!(refused.count(), 0);
    });
    let (status, log) = server.ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{log}");
    log
}

fn assert_whole(client: &mut Client, acknowledged: &[AtomicUsize]) {
    assert_eq!(ask(client, "GET count").to_string(), "\"42\"");
    assert_eq!(ask(client, "EXISTS half half-stream other"), Value::Int(0));
    for (number, acknowledged) in acknowledged.iter().enumerate() {
        let Value::Array(entries) = ask(client, &format!("XRANGE s{number} - +")) else {
            panic!("no entries");
        };
        let numbers = entries.iter().map(|entry| match entry {
            Value::Array(parts) => parts[1].to_string(),
            other => other.to_string(),
        });
        let expected = (1..=entries.len()).map(|number| format!("[\"number\", \"{number}\"]"));
        assert!(numbers.eq(expected), "{entries:?}");
        // The last append may have been durable before its reply left.
        let acknowledged = acknowledged.load(Ordering::Acquire);
        let kept = acknowledged..=acknowledged + 1;
        assert!(kept.contains(&entries.len()), "{kept:?}: {}", entries.len());
    }
}

#[test]
fn a_panic_in_a_transaction_ends_the_process_and_neither_loses_nor_halves_anything() {
    for policy in ["always", "everysec", "no"] {
        let data = tempfile::tempdir().unwrap();
        let settings = &[("appendonly", "yes"), ("appendfsync", policy)];
        let acknowledged = [const { AtomicUsize::new(0) }; PRODUCERS];
        let log = fail_in_a_transaction(start(data.path(), settings), &acknowledged);
        assert!(log.contains("commands/src/server/debug.rs"), "{log}");
        assert!(
            log.contains("What was acknowledged is in the journal"),
            "{log}"
        );
        assert!(log.contains("start the server again"), "{log}");

        let server = start(data.path(), settings);
        let mut client = server.connect(Protocol::Resp2).unwrap();
        assert_whole(&mut client, &acknowledged);
        // Nor does a later base of the journal know of it.
        ask(&mut client, "DEBUG RELOAD");
        assert_whole(&mut client, &acknowledged);
    }
}

#[test]
fn a_panic_without_a_journal_ends_the_process_and_says_what_is_left() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), &[]);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut client, "SET key saved").to_string(), "+OK");
    assert_eq!(ask(&mut client, "SAVE").to_string(), "+OK");
    let log = fail_in_a_transaction(server, &[const { AtomicUsize::new(0) }; PRODUCERS]);
    assert!(log.contains("a restart finds the last snapshot"), "{log}");
    let server = start(data.path(), &[]);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut client, "GET key").to_string(), "\"saved\"");
    assert_eq!(ask(&mut client, "EXISTS count half"), Value::Int(0));
}
