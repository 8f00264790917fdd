//! A start with `appendonly no` beside a journal: Redis serves the snapshot, or nothing, without a
//! word. weir says so, and does not let what is in the journal go unseen.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::server::Server;

const ON: &[(&str, &str)] = &[("appendonly", "yes")];
const OFF: &[(&str, &str)] = &[("appendonly", "no")];
const IGNORED: &str = "THE JOURNAL IS IGNORED";

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

fn start(data: &Path, settings: &[(&str, &str)]) -> (Server, Client) {
    let server = Server::start_in(&peers::weir().unwrap(), data, settings).unwrap();
    let client = server.connect(Protocol::Resp2).unwrap();
    (server, client)
}

/// A folder whose journal has a key.
fn with_a_journal() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let (server, mut client) = start(data.path(), ON);
    assert!(!server.whole_log().contains(IGNORED));
    assert_eq!(ask(&mut client, &["SET", "k", "in the journal"]), "+OK");
    server.kill().unwrap();
    data
}

fn get(client: &mut Client) -> String {
    ask(client, &["GET", "k"])
}

#[test]
fn a_start_without_the_journal_says_that_it_is_ignored_and_loses_nothing() {
    let data = with_a_journal();
    for _ in 0..2 {
        let (server, mut client) = start(data.path(), OFF);
        assert!(server.whole_log().contains(IGNORED));
        assert_eq!(get(&mut client), "nil");
        // A new journal would take the place of data that nobody has seen.
        let refused = ask(&mut client, &["CONFIG", "SET", "appendonly", "yes"]);
        assert!(refused.contains("Unable to turn on AOF"), "{refused}");
        assert!(server.whole_log().contains("that was not loaded"));
        server.kill().unwrap();
    }
    let (server, mut client) = start(data.path(), ON);
    assert_eq!(get(&mut client), "\"in the journal\"");
    assert!(server.whole_log().contains("ran without this journal"));
    server.kill().unwrap();
    // The journal goes on, so nothing is to be said any more.
    let (server, _client) = start(data.path(), ON);
    assert!(!server.whole_log().contains("ran without this journal"));
}

#[test]
fn a_snapshot_of_a_start_without_the_journal_is_not_overlooked() {
    let data = with_a_journal();
    let (server, mut client) = start(data.path(), OFF);
    assert_eq!(ask(&mut client, &["SET", "k", "in the snapshot"]), "+OK");
    assert_eq!(ask(&mut client, &["SAVE"]), "+OK");
    server.kill().unwrap();
    let refused = Server::start_in(&peers::weir().unwrap(), data.path(), ON).unwrap_err();
    let refused = format!("{refused:#}");
    assert!(refused.contains("was written after that"), "{refused}");
    // Each of the two ways that it names works.
    let (journal, away) = (data.path().join("appendonlydir"), data.path().join("away"));
    fs::rename(&journal, &away).unwrap();
    let (server, mut client) = start(data.path(), ON);
    assert_eq!(get(&mut client), "\"in the snapshot\"");
    server.kill().unwrap();
    fs::remove_dir_all(&journal).unwrap();
    fs::rename(&away, &journal).unwrap();
    fs::remove_file(data.path().join("dump.rdb")).unwrap();
    let (_server, mut client) = start(data.path(), ON);
    assert_eq!(get(&mut client), "\"in the journal\"");
}

#[test]
fn a_journal_that_somebody_writes_is_not_called_old() {
    let data = tempfile::tempdir().unwrap();
    let (writer, mut client) = start(data.path(), ON);
    assert_eq!(ask(&mut client, &["SET", "k", "v"]), "+OK");
    let (other, _) = start(data.path(), OFF);
    assert!(other.whole_log().contains("another process writes"));
    other.kill().unwrap();
    assert_eq!(ask(&mut client, &["SAVE"]), "+OK");
    writer.kill().unwrap();
    let (server, mut client) = start(data.path(), ON);
    assert_eq!(get(&mut client), "\"v\"");
    assert!(!server.whole_log().contains("ran without this journal"));
}

#[test]
fn the_checks_tell_of_a_journal_that_a_configuration_ignores() {
    let data = with_a_journal();
    let file = data.path().join("weir.conf");
    let told = |appendonly: &str, arguments: &[&str]| {
        let text = format!("appendonly {appendonly}\ndir {}\n", data.path().display());
        fs::write(&file, text).unwrap();
        let mut command = Command::new(peers::weir().unwrap());
        let output = command.args(arguments).arg(&file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).contains(IGNORED)
    };
    for command in [&["check-config"][..], &["check", "--config"]] {
        assert!(told("no", command), "{command:?}");
        assert!(!told("yes", command), "{command:?}");
    }
}
