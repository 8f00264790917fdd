//! Acknowledged entries that a restart of Redis 8.6.3 loses, with `appendfsync always`, and weir does not.
//!
//! While Redis reads its journal, idempotent IDs do not expire: an entry whose ID had been used before, and had
//! expired by then, passes for a duplicate. And its journal holds duplicates as commands: where the ID is no
//! longer remembered, such a line becomes a new entry, above those that follow, which are dropped then. The wrong
//! behaviour is asserted too, so that a version of Redis without it is noticed.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::path::Path;
use std::thread;
use std::time::Duration;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// Longer than idempotent IDs are remembered here, which is one second.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(2500);

/// An idempotent ID that expired and was used again.
fn use_an_expired_id_again(client: &mut Client) {
    ask(client, "XADD s 1-1 f v");
    ask(client, "XCFGSET s IDMP-DURATION 1");
    ask(client, "XADD s IDMP p 1 * f a");
    thread::sleep(FORGOTTEN_AFTER);
    ask(client, "XADD s IDMP p 1 * f b");
}

/// The same with a bound on how many IDs are remembered, and entries of others behind it.
fn use_ids_again_that_others_pushed_out(client: &mut Client) {
    ask(client, "XADD s 1-1 f v");
    ask(client, "XCFGSET s IDMP-DURATION 1 IDMP-MAXSIZE 2");
    ask(client, "XADD s IDMP p 1 * f a");
    thread::sleep(FORGOTTEN_AFTER);
    for request in [
        "XADD s IDMP p 2 * f c",
        "XADD s IDMP p 1 * f b",
        "XADD s IDMP p 3 * f d",
        "XADD s IDMP p 1 * f b",
        "XADD s * f e",
        "XADD s * f f",
        "XADD s * f g",
        "XADD s * f h",
    ] {
        ask(client, request);
    }
}

fn ask(client: &mut Client, request: &str) -> String {
    let words: Vec<&str> = request.split(' ').collect();
    let reply = client.command(&words).unwrap().to_string();
    assert!(!reply.starts_with('-'), "{request}: {reply}");
    reply
}

/// How many entries the stream has before and after a crash.
fn crash(binary: &Path, work: fn(&mut Client), restart: &Path) -> (String, String) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(binary, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    work(&mut client);
    let before = ask(&mut client, "XLEN s");
    server.kill().unwrap();
    let server = Server::start_in(restart, data.path(), JOURNAL).unwrap();
    let after = ask(&mut server.connect(Protocol::Resp2).unwrap(), "XLEN s");
    (before, after)
}

#[track_caller]
fn assert_entries(binary: &Path, work: fn(&mut Client), before: &str, after: &str) {
    let counts = crash(binary, work, binary);
    assert_eq!(counts, (before.to_owned(), after.to_owned()));
}

#[test]
fn weir_keeps_entries_whose_idempotent_ids_had_expired() {
    let weir = peers::weir().unwrap();
    assert_entries(&weir, use_an_expired_id_again, "3", "3");
}

#[test]
fn weir_keeps_entries_whose_idempotent_ids_had_been_pushed_out() {
    let weir = peers::weir().unwrap();
    assert_entries(&weir, use_ids_again_that_others_pushed_out, "9", "9");
}

#[test]
fn redis_loses_entries_whose_idempotent_ids_had_expired() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    assert_entries(&redis, use_an_expired_id_again, "3", "2");
}

#[test]
fn redis_loses_entries_whose_idempotent_ids_had_been_pushed_out() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    assert_entries(&redis, use_ids_again_that_others_pushed_out, "9", "5");
}

#[test]
fn weir_finds_in_a_journal_of_redis_what_redis_loses() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let weir = peers::weir().unwrap();
    for (work, entries) in [
        (use_an_expired_id_again as fn(&mut Client), "3"),
        (use_ids_again_that_others_pushed_out, "9"),
    ] {
        let counts = crash(&redis, work, &weir);
        assert_eq!(counts, (entries.to_owned(), entries.to_owned()));
    }
}
