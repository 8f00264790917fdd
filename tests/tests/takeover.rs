//! Taking over the data of a Redis server that has more than weir supports.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

const CACHE: &[(&str, &str)] = &[("appendonly", "no")];
const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

const LIBRARY: &str = "#!lua name=mylib\nredis.register_function('f', function() return 1 end)";

/// Data that weir supports, and data that it does not. The last requests are in no snapshot.
const REQUESTS: &[&str] = &[
    "SET string value",
    "XADD stream 1-1 f v",
    "XGROUP CREATE stream g 0",
    "VADD renamed VALUES 1 1 e",
    "VADD vectors VALUES 1 1 e",
    "VADD set-later VALUES 1 1 e",
    "VADD deleted-later VALUES 1 1 e",
    "VADD moved VALUES 1 1 e",
    "SET overwritten value",
    "REWRITE",
    "XREADGROUP GROUP g reader STREAMS stream >",
    "XGROUP CREATECONSUMER stream g other",
    "VADD kept VALUES 1 1 e",
    "RENAME renamed overwritten",
    "SET set-later is-a-string-now",
    "DEL deleted-later",
    "MOVE moved 2",
    "SET counter 1",
    "INCR counter",
];

/// Redis in a folder, with functions and keys of many types.
fn redis_data(settings: &[(&str, &str)]) -> Option<TempDir> {
    let redis = Peers::binary("redis86-server").unwrap()?;
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&redis, data.path(), settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let mut ask = |words: &[&str]| {
        let reply = client.command(words).unwrap().to_string();
        assert!(!reply.starts_with('-'), "{words:?}: {reply}");
        reply
    };
    ask(&["FUNCTION", "LOAD", LIBRARY]);
    for request in REQUESTS {
        if *request != "REWRITE" {
            ask(&request.split(' ').collect::<Vec<_>>());
        } else if settings == JOURNAL {
            ask(&["BGREWRITEAOF"]);
            while ask(&["INFO", "persistence"]).contains("aof_rewrite_in_progress:1") {}
        }
    }
    if settings == CACHE {
        ask(&["SAVE"]);
    }
    server.stop().unwrap();
    Some(data)
}

/// What is left out of that, as `weir import` lists it.
fn left_out(settings: &[(&str, &str)]) -> String {
    // The command of a module does not say which module it is of.
    let kept = match settings == JOURNAL {
        true => "vector set",
        false => "value of module vectorset",
    };
    format!(
        "left out: key \"kept\" of database 0 ({kept})\n\
         left out: key \"overwritten\" of database 0 (value of module vectorset)\n\
         left out: key \"vectors\" of database 0 (value of module vectorset)\n\
         left out: key \"moved\" of database 2 (value of module vectorset)\n"
    )
}

#[track_caller]
fn check_data(client: &mut Client) {
    let mut ask = |request: &str| {
        let words: Vec<&str> = request.split(' ').collect();
        client.command(&words).unwrap().to_string()
    };
    assert_eq!(ask("DBSIZE"), "4");
    assert_eq!(ask("FCALL f 0"), "1");
    assert!(ask("GET string").contains("value"));
    assert!(ask("GET set-later").contains("is-a-string-now"));
    assert!(ask("GET counter").contains('2'));
    assert_eq!(ask("XLEN stream"), "1");
    assert_eq!(ask("EXISTS overwritten kept vectors"), "0");
    // The increments contain no times.
    let consumers = client
        .command(&["XINFO", "CONSUMERS", "stream", "g"])
        .unwrap();
    for consumer in consumers.elements().unwrap() {
        let idle = consumer.field("idle").unwrap().as_int().unwrap();
        assert!((0..600_000).contains(&idle), "{consumers}");
    }
    assert_eq!(consumers.elements().unwrap().len(), 2);
}

fn import(source: &Path, target: &Path) -> Output {
    let weir = peers::weir().unwrap();
    let mut command = Command::new(weir);
    let command = command.arg("import").arg(source).arg("--dir").arg(target);
    command.output().unwrap()
}

#[test]
fn data_that_weir_cannot_keep_is_refused_and_left_out_only_if_told() {
    for settings in [CACHE, JOURNAL] {
        let Some(data) = redis_data(settings) else {
            return;
        };
        let weir = peers::weir().unwrap();
        // With the snapshot, first as the only data and then as the start of a journal.
        for settings in [settings, JOURNAL] {
            let refused = Server::start_in(&weir, data.path(), settings).unwrap_err();
            let refused = format!("{refused:#}");
            let told = "which weir does not have; `weir import`";
            assert!(refused.contains(told), "{refused}");
            assert!(refused.contains("vector"), "{refused}");
        }
        let mut skip = settings.to_vec();
        skip.push(("load-unknown", "skip"));
        for settings in [skip, [JOURNAL, &[("load-unknown", "skip")]].concat()] {
            let server = Server::start_in(&weir, data.path(), &settings).unwrap();
            check_data(&mut server.connect(Protocol::Resp2).unwrap());
            let log = server.log();
            let told = "type_name=\"value of module vectorset\" keys=";
            assert!(log.contains(told), "{told}: {log}");
            server.stop().unwrap();
        }
    }
}

#[test]
fn a_command_of_redis_that_weir_does_not_have_is_refused_by_name() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&redis, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    client
        .command(&["VADD", "s", "VALUES", "1", "1", "member"])
        .unwrap();
    server.stop().unwrap();
    let refused = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap_err();
    let refused = format!("{refused:#}");
    let told = "it holds command VADD of key \"s\", which weir does not have; `weir import`";
    assert!(refused.contains(told), "{refused}");
}

#[test]
fn an_import_takes_what_weir_has_and_lists_the_rest() {
    for settings in [CACHE, JOURNAL] {
        let Some(data) = redis_data(settings) else {
            return;
        };
        let sources = match settings == JOURNAL {
            true => vec![data.path().to_owned(), data.path().join("appendonlydir")],
            false => vec![data.path().to_owned(), data.path().join("dump.rdb")],
        };
        for source in sources {
            let target = tempfile::tempdir().unwrap();
            let imported = import(&source, target.path());
            let report = String::from_utf8(imported.stdout).unwrap();
            assert!(imported.status.success(), "{report}");
            assert!(report.starts_with(&left_out(settings)), "{report}");
            assert!(!report.contains("mylib"), "{report}");
            assert!(report.contains("\n4 keys are in "), "{report}");
            assert!(report.ends_with("4 were left out\n"), "{report}");
            // Everything is there, whatever may be left out.
            let weir = peers::weir().unwrap();
            let server = Server::start_in(&weir, target.path(), JOURNAL).unwrap();
            check_data(&mut server.connect(Protocol::Resp2).unwrap());
            server.stop().unwrap();
            let again = import(&source, target.path());
            let complaint = String::from_utf8(again.stderr).unwrap();
            assert!(!again.status.success());
            assert!(complaint.contains("has data already"), "{complaint}");
        }
    }
}

#[test]
fn an_append_only_file_of_its_own_is_imported_up_to_its_torn_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("appendonly.aof");
    let mut bytes = include_bytes!("../../core/rdb/fixtures/types.rdb").to_vec();
    // More than is read at once, so that requests are cut.
    for number in 0..20_000 {
        let value = format!("{number:0100}");
        let request =
            format!("*3\r\n$3\r\nSET\r\n$4\r\nmany\r\n$100\r\n{value}\r\n#TS:1790000000\r\n");
        bytes.extend(request.bytes());
    }
    bytes.extend(b"*3\r\n$3\r\nSET\r\n$4\r\nto");
    std::fs::write(&file, bytes).unwrap();
    let target = tempfile::tempdir().unwrap();
    let imported = import(&file, target.path());
    let report = String::from_utf8(imported.stdout).unwrap();
    assert!(
        report.contains("left out: 19 bytes of a request that is not whole"),
        "{report}"
    );
    assert!(report.contains("\n17 keys are in "), "{report}");
    let nothing = import(target.path().join("none").as_path(), folder.path());
    assert!(!nothing.status.success());
}

#[test]
fn a_snapshot_is_in_the_journal_before_anybody_is_served() {
    let weir = peers::weir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&weir, data.path(), CACHE).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for number in 0..1000 {
        let key = number.to_string();
        client.command(&["SET", &key, "value"]).unwrap();
    }
    client.command(&["SAVE"]).unwrap();
    server.stop().unwrap();
    let server = Server::start_in(&weir, data.path(), JOURNAL).unwrap();
    // In case it still wanted to do something with the snapshot.
    server.kill().unwrap();
    std::fs::remove_file(data.path().join("dump.rdb")).unwrap();
    let server = Server::start_in(&weir, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(client.command(&["DBSIZE"]).unwrap().to_string(), "1000");
    server.stop().unwrap();
}

#[test]
fn an_old_snapshot_beside_a_journal_of_redis_is_not_taken_over() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&redis, data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let mut ask = |words: &[&str]| client.command(words).unwrap().to_string();
    ask(&["SET", "deleted", "value"]);
    ask(&["SAVE"]);
    ask(&["DEL", "deleted"]);
    ask(&["SET", "kept", "value"]);
    // Everything is then in the base, and nothing after it.
    ask(&["BGREWRITEAOF"]);
    while ask(&["INFO", "persistence"]).contains("aof_rewrite_in_progress:1") {}
    server.stop().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), JOURNAL).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let exist = client.command(&["EXISTS", "deleted", "kept", "kept"]);
    assert_eq!(exist.unwrap().to_string(), "2");
    server.stop().unwrap();
}
