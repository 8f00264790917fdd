//! Acknowledged entries that a restart of Redis 8.6.3 loses, with `appendfsync always`, and weir
//! does not.
//!
//! While Redis reads its journal, idempotent IDs do not expire: an entry whose ID had been used
//! before, and had expired by then, counts as a duplicate. And its journal holds duplicates as
//! commands: if the ID is no longer remembered, such a line becomes a new entry, above those that
//! follow, which are then dropped. The wrong behaviour is asserted too, so that a version of Redis
//! without it is noticed.
//!
//! The README shows both as scripts, and these tests run those scripts.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::path::Path;
use std::thread;
use std::time::Duration;

use weir_tests::client::{Client, Protocol};
use weir_tests::documents::{blocks, pages};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// The start and the end of a script line that waits.
const WAIT: (&str, &str) = ("(wait ", " seconds)");

/// The start of the last line of a script: the crash, and what happens to the entries.
const CRASH: &str = "(kill -9, start again)";

/// A script that the README shows.
struct Script {
    /// Requests and waits.
    lines: Vec<String>,
    /// How many entries Redis has before and after the crash.
    redis: [String; 2],
    /// And weir.
    weir: [String; 2],
}

/// The scripts of the README, in order.
fn scripts() -> Vec<Script> {
    let pages = pages().unwrap();
    let readme = pages.iter().find(|page| page.path == "README.md").unwrap();
    let mut scripts = Vec::new();
    for mut block in blocks(&readme.text) {
        let Some(last) = block.lines.pop().filter(|last| last.starts_with(CRASH)) else {
            continue;
        };
        let counts = last[CRASH.len()..].split(|c: char| !c.is_ascii_digit());
        let counts: Vec<String> = counts
            .filter(|count| !count.is_empty())
            .map(str::to_owned)
            .collect();
        let [a, b, c, d] = <[String; 4]>::try_from(counts).unwrap();
        scripts.push(Script {
            lines: block.lines,
            redis: [a, b],
            weir: [c, d],
        });
    }
    scripts
}

/// An idempotent ID that expired and was used again.
fn an_expired_id_used_again() -> Script {
    scripts().swap_remove(0)
}

/// The same, with a bound on how many IDs are remembered, and entries of others behind it.
fn ids_used_again_that_others_pushed_out() -> Script {
    scripts().swap_remove(1)
}

impl Script {
    fn run(&self, client: &mut Client) {
        for line in &self.lines {
            // What follows a gap is a remark.
            let line = line.split("  ").next().unwrap_or(line);
            let wait = line.strip_prefix(WAIT.0);
            match wait.and_then(|wait| wait.strip_suffix(WAIT.1)) {
                Some(seconds) => thread::sleep(Duration::from_secs(seconds.parse().unwrap())),
                None => drop(ask(client, line)),
            }
        }
    }
}

#[test]
fn the_readme_has_the_scripts_of_these_tests() {
    assert_eq!(scripts().len(), 2);
}

fn ask(client: &mut Client, request: &str) -> String {
    let words: Vec<&str> = request.split(' ').collect();
    let reply = client.command(&words).unwrap().to_string();
    assert!(!reply.starts_with('-'), "{request}: {reply}");
    reply
}

/// Returns how many entries the stream has before and after a crash.
fn crash(binary: &Path, script: &Script, restart: &Path) -> [String; 2] {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(binary, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    script.run(&mut client);
    let before = ask(&mut client, "XLEN s");
    server.kill().unwrap();
    let server = Server::start_in(restart, data.path(), JOURNAL).unwrap();
    let after = ask(&mut server.connect(Protocol::Resp2).unwrap(), "XLEN s");
    [before, after]
}

#[track_caller]
fn assert_weir_keeps(script: &Script) {
    let weir = peers::weir().unwrap();
    assert_eq!(crash(&weir, script, &weir), script.weir);
    assert_eq!(script.weir[0], script.weir[1]);
}

#[track_caller]
fn assert_redis_loses(script: &Script) {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    assert_eq!(crash(&redis, script, &redis), script.redis);
    assert_ne!(script.redis[0], script.redis[1]);
}

#[test]
fn weir_keeps_entries_whose_idempotent_ids_had_expired() {
    assert_weir_keeps(&an_expired_id_used_again());
}

#[test]
fn weir_keeps_entries_whose_idempotent_ids_had_been_pushed_out() {
    assert_weir_keeps(&ids_used_again_that_others_pushed_out());
}

#[test]
fn redis_loses_entries_whose_idempotent_ids_had_expired() {
    assert_redis_loses(&an_expired_id_used_again());
}

#[test]
fn redis_loses_entries_whose_idempotent_ids_had_been_pushed_out() {
    assert_redis_loses(&ids_used_again_that_others_pushed_out());
}

#[test]
fn weir_finds_in_a_journal_of_redis_what_redis_loses() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let weir = peers::weir().unwrap();
    for script in scripts() {
        assert_eq!(crash(&redis, &script, &weir), script.weir);
    }
}
