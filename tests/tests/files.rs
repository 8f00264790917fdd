//! Files go both ways: weir loads what Redis 8.6.3 wrote, and Redis loads what weir wrote.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;
use std::path::Path;

use weir_tests::all_types;
use weir_tests::client::{Client, Protocol};
use weir_tests::data_set;
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

const CACHE: &[(&str, &str)] = &[("appendonly", "no")];
const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// Makes data on one server, has it saved by `save`, and loads it with another.
#[track_caller]
fn carry(from: &Path, to: &Path, settings: &[(&str, &str)], save: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let writer = Server::start_in(from, data.path(), settings).unwrap();
    let mut client = writer.connect(Protocol::Resp2).unwrap();
    data_set::make(&mut client).unwrap();
    all_types::make(&mut client).unwrap();
    let values = all_types::look(&mut client).unwrap();
    let before = data_set::look(&mut client).unwrap();
    let mut answered = data_set::repeat(&mut client).unwrap();
    assert_eq!(
        before,
        data_set::look(&mut client).unwrap(),
        "a repeated append changes nothing"
    );
    for request in save {
        client.command(&[request]).unwrap();
        wait_for_rewrite(&mut client);
    }
    if settings == JOURNAL {
        // The journal goes on behind its base.
        client.command(&["XADD", "later", "1-1", "f", "v"]).unwrap();
    }
    writer.stop().unwrap();

    let reader = Server::start_in(to, data.path(), settings).unwrap();
    let mut client = reader.connect(Protocol::Resp2).unwrap();
    if settings == JOURNAL {
        client.command(&["DEL", "later"]).unwrap();
    }
    assert_same(&before, &data_set::look(&mut client).unwrap());
    assert_same(&values, &all_types::look(&mut client).unwrap());
    assert!(values.len() > 100);
    let mut answers = data_set::repeat(&mut client).unwrap();
    if from != to && !save.is_empty() {
        // Each makes fingerprints of messages in its own way, and a snapshot has nothing else of
        // them.
        for lines in [&mut answered, &mut answers] {
            lines.retain(|line| !line.contains("IDMPAUTO"));
        }
    }
    assert_same(&answered, &answers);
    reader.stop().unwrap();
}

fn wait_for_rewrite(client: &mut Client) {
    let goes_on = |info: Value| info.to_string().contains("aof_rewrite_in_progress:1");
    while goes_on(client.command(&["INFO", "persistence"]).unwrap()) {}
}

/// Shows where the first difference is, as the lines are long.
#[track_caller]
fn assert_same(before: &[String], after: &[String]) {
    for (before, after) in before.iter().zip(after) {
        let mut bytes = before.bytes().zip(after.bytes());
        let same = bytes.position(|(a, b)| a != b);
        let same = same.unwrap_or(before.len().min(after.len()));
        let part = |text: &str| {
            text.chars()
                .skip(same.saturating_sub(80))
                .take(200)
                .collect::<String>()
        };
        assert!(
            before == after,
            "before: {}\n after: {}",
            part(before),
            part(after)
        );
    }
}

/// The real server, where it can be had.
fn redis() -> Option<std::path::PathBuf> {
    Peers::binary("redis86-server").unwrap()
}

#[test]
fn weir_loads_a_snapshot_of_redis() {
    let Some(redis) = redis() else { return };
    carry(&redis, &peers::weir().unwrap(), CACHE, &["SAVE"]);
}

#[test]
fn weir_loads_a_journal_of_redis() {
    let Some(redis) = redis() else { return };
    carry(&redis, &peers::weir().unwrap(), JOURNAL, &[]);
}

#[test]
fn redis_loads_a_snapshot_of_weir() {
    let Some(redis) = redis() else { return };
    carry(&peers::weir().unwrap(), &redis, CACHE, &["SAVE"]);
}

#[test]
fn redis_loads_a_journal_of_weir() {
    let Some(redis) = redis() else { return };
    carry(&peers::weir().unwrap(), &redis, JOURNAL, &[]);
}

#[test]
fn weir_loads_what_weir_wrote() {
    let weir = peers::weir().unwrap();
    carry(&weir, &weir, CACHE, &["SAVE"]);
    carry(&weir, &weir, JOURNAL, &[]);
}

#[test]
fn a_journal_that_was_rewritten_goes_both_ways() {
    let weir = peers::weir().unwrap();
    carry(&weir, &weir, JOURNAL, &["BGREWRITEAOF"]);
    let Some(redis) = redis() else { return };
    carry(&redis, &weir, JOURNAL, &["BGREWRITEAOF"]);
    carry(&weir, &redis, JOURNAL, &["BGREWRITEAOF"]);
}

#[test]
fn databases_are_the_same_after_a_reload() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    data_set::make(&mut client).unwrap();
    let digest = client.command(&["DEBUG", "DIGEST"]).unwrap();
    let before = data_set::look(&mut client).unwrap();
    for way in [
        &["DEBUG", "RELOAD"][..],
        &["DEBUG", "LOADAOF"],
        &["DEBUG", "RELOAD", "NOFLUSH", "MERGE"],
        &["DEBUG", "RELOAD", "NOSAVE"],
        &["DEBUG", "LOADAOF"],
    ] {
        assert_eq!(client.command(way).unwrap().to_string(), "+OK", "{way:?}");
        assert_eq!(
            client.command(&["DEBUG", "DIGEST"]).unwrap(),
            digest,
            "{way:?}"
        );
        assert_eq!(data_set::look(&mut client).unwrap(), before, "{way:?}");
    }
    let refused = client.command(&["DEBUG", "RELOAD", "NOFLUSH"]).unwrap();
    assert!(
        refused.to_string().contains("is there already"),
        "{refused}"
    );
    assert_eq!(client.command(&["DEBUG", "DIGEST"]).unwrap(), digest);
    assert!(fs::metadata(data.path().join("dump.rdb")).is_ok());
    let answered = data_set::repeat(&mut client).unwrap();
    client.command(&["DEBUG", "RELOAD"]).unwrap();
    assert_eq!(data_set::repeat(&mut client).unwrap(), answered);
}
