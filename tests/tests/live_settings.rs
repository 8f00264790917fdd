//! What changes while the server runs: addresses, folders, the journal on and off.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

fn set(client: &mut Client, name: &str, value: &str) -> String {
    ask(client, &["CONFIG", "SET", name, value])
}

/// The value of a setting.
fn get(client: &mut Client, name: &str) -> String {
    let Value::Array(pair) = client.command(&["CONFIG", "GET", name]).unwrap() else {
        panic!("CONFIG GET answers an array");
    };
    match pair.get(1) {
        Some(Value::Bulk(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{name} is {other:?}"),
    }
}

fn info(client: &mut Client, section: &str, field: &str) -> String {
    let Value::Bulk(text) = client.command(&["INFO", section]).unwrap() else {
        panic!("INFO answers a text");
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let start = format!("{field}:");
    let line = text.lines().find(|line| line.starts_with(&start));
    line.map_or_else(String::new, |line| line[start.len()..].to_owned())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[test]
fn what_redis_lets_change_changes_here_and_nothing_else() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let redis = Server::start(&redis).unwrap();
    let ours = Server::start(&peers::weir().unwrap()).unwrap();
    let mut of_redis = redis.connect(Protocol::Resp2).unwrap();
    let mut of_weir = ours.connect(Protocol::Resp2).unwrap();
    let Value::Array(all) = of_redis.command(&["CONFIG", "GET", "*"]).unwrap() else {
        panic!("CONFIG GET answers an array");
    };
    let mut differ = Vec::new();
    for [name, _] in all.as_chunks::<2>().0 {
        let Value::Bulk(name) = name else {
            panic!("{name}");
        };
        let name = String::from_utf8_lossy(name).into_owned();
        // To its own value: whether it may change is all that is asked.
        let (there, here) = (get(&mut of_redis, &name), get(&mut of_weir, &name));
        let expected = set(&mut of_redis, &name, &there);
        let answer = set(&mut of_weir, &name, &here);
        if answer != expected {
            differ.push(format!("{name}: {answer}, and {expected} in Redis"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn info_tells_the_percentiles_that_are_asked_for() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(
        set(
            &mut client,
            "latency-tracking-info-percentiles",
            "0 50.0 99.99"
        ),
        "+OK"
    );
    let told = info(
        &mut client,
        "latencystats",
        "latency_percentiles_usec_config|set",
    );
    let shares: Vec<&str> = told
        .split(',')
        .filter_map(|part| part.split('=').next())
        .collect();
    assert_eq!(shares, ["p0", "p50", "p99.99"]);
    let times: Vec<f64> = told
        .split(',')
        .filter_map(|part| part.split('=').nth(1)?.parse().ok())
        .collect();
    assert_eq!(times.len(), 3);
    assert!(times[0] > 0.0 && times.is_sorted(), "{told}");
    assert_eq!(
        set(&mut client, "latency-tracking-info-percentiles", ""),
        "+OK"
    );
    let told = info(
        &mut client,
        "latencystats",
        "latency_percentiles_usec_config|set",
    );
    assert_eq!(told, "");
}

#[test]
fn another_port_is_listened_on_and_connections_stay() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let (before, port) = (server.address().port(), free_port());
    assert_eq!(set(&mut client, "port", &port.to_string()), "+OK");
    assert_eq!(ask(&mut client, &["PING"]), "+PONG");
    assert_eq!(info(&mut client, "server", "tcp_port"), port.to_string());
    let listener = format!("name=tcp,bind=127.0.0.1,port={port}");
    assert_eq!(info(&mut client, "server", "listener0"), listener);
    let mut other = Client::connect(at(port), Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut other, &["PING"]), "+PONG");
    assert!(Client::connect(at(before), Protocol::Resp2).is_err());
    // No port at all: whoever is there stays.
    assert_eq!(set(&mut client, "port", "0"), "+OK");
    assert!(Client::connect(at(port), Protocol::Resp2).is_err());
    assert_eq!(info(&mut client, "server", "listener0"), "");
    assert_eq!(ask(&mut other, &["PING"]), "+PONG");
    assert_eq!(set(&mut client, "port", &before.to_string()), "+OK");
    assert!(server.connect(Protocol::Resp2).is_ok());
}

#[test]
fn a_port_in_use_leaves_everything_as_it_was() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let busy = busy.local_addr().unwrap().port().to_string();
    let too_many = ["127.0.0.1"; 17].join(" ");
    let requests: [&[&str]; 8] = [
        &["CONFIG", "SET", "timeout", "77", "port", &busy],
        &["CONFIG", "SET", "port", "70000"],
        &["CONFIG", "SET", "bind", "192.0.2.77"],
        &["CONFIG", "SET", "bind", "127.0.0.1 no.such.host.invalid"],
        &["CONFIG", "SET", "timeout", "77", "bind", &too_many],
        &["CONFIG", "SET", "timeout", "77", "port", "1x"],
        &["CONFIG", "SET", "port", &busy, "nothing", "77"],
        &["CONFIG", "SET", "port", &busy, "port", &busy],
    ];
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let mut answers = Vec::new();
    for binary in [redis, peers::weir().unwrap()] {
        let server = Server::start(&binary).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let answered: Vec<String> = requests
            .iter()
            .map(|words| ask(&mut client, words))
            .collect();
        assert_eq!(get(&mut client, "timeout"), "0");
        assert_eq!(get(&mut client, "bind"), "127.0.0.1");
        let port = server.address().port().to_string();
        assert_eq!(get(&mut client, "port"), port);
        assert!(server.connect(Protocol::Resp2).is_ok());
        answers.push(answered);
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn the_address_that_stands_for_all_takes_the_place_of_one_and_goes_again() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let port = server.address().port();
    for (bind, other_serves) in [
        ("*", true),
        ("127.0.0.1", false),
        ("127.0.0.1 127.0.0.2", true),
    ] {
        assert_eq!(set(&mut client, "bind", bind), "+OK");
        let other = SocketAddr::from(([127, 0, 0, 2], port));
        let connected = Client::connect(other, Protocol::Resp2);
        assert_eq!(connected.is_ok(), other_serves, "{bind}");
        assert!(server.connect(Protocol::Resp2).is_ok(), "{bind}");
    }
    // What cannot be opened beside it leaves it open.
    let refused = set(&mut client, "bind", "* 192.0.2.77");
    assert!(refused.contains("Failed to bind to specified addresses."));
    assert!(server.connect(Protocol::Resp2).is_ok());
    assert_eq!(get(&mut client, "bind"), "127.0.0.1 127.0.0.2");
}

#[test]
fn settings_that_wait_for_the_system_are_refused_in_a_transaction() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, &["MULTI"]);
    ask(&mut client, &["CONFIG", "SET", "appendonly", "yes"]);
    ask(&mut client, &["CONFIG", "SET", "timeout", "9"]);
    let answer = ask(&mut client, &["EXEC"]);
    assert!(
        answer.contains("not allowed inside a transaction"),
        "{answer}"
    );
    assert_eq!(get(&mut client, "appendonly"), "no");
    assert_eq!(get(&mut client, "timeout"), "9");
}

#[test]
fn folder_and_name_of_the_snapshot_change_where_that_is_allowed() {
    let folders = tempfile::tempdir().unwrap();
    let (one, two) = (folders.path().join("one"), folders.path().join("two"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    let binary = peers::weir().unwrap();
    let server = Server::start_in(&binary, &one, &[("enable-protected-configs", "local")]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, &["SET", "k", "v"]);
    let missing = set(
        &mut client,
        "dir",
        folders.path().join("gone").to_str().unwrap(),
    );
    assert!(
        missing.ends_with(" - No such file or directory"),
        "{missing}"
    );
    let path = set(&mut client, "dbfilename", "a/b");
    assert!(path.ends_with("be a path, just a filename"));
    let both = ["CONFIG", "SET", "dbfilename", "other.rdb", "dir", "../two"];
    assert_eq!(ask(&mut client, &both), "+OK");
    assert_eq!(
        Path::new(&get(&mut client, "dir")),
        two.canonicalize().unwrap()
    );
    assert_eq!(ask(&mut client, &["SAVE"]), "+OK");
    assert!(two.join("other.rdb").exists() && !one.join("dump.rdb").exists());
    // A journal stays where it is.
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    assert!(two.join("appendonlydir/appendonly.aof.manifest").exists());
    let kept = set(&mut client, "dir", one.to_str().unwrap());
    assert!(kept.contains("the journal is in it"), "{kept}");
}

/// Everything that a restart finds with a journal.
fn restarted(server: Server, data: &Path) -> (Server, Client) {
    server.kill().unwrap();
    let journal = [("appendonly", "yes"), ("appendfsync", "always")];
    let server = Server::start_in(&peers::weir().unwrap(), data, &journal).unwrap();
    let client = server.connect(Protocol::Resp2).unwrap();
    (server, client)
}

#[test]
fn the_journal_goes_on_and_off_and_a_restart_finds_what_it_has() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let append = ["XADD", "s", "IDMP", "p", "1", "*", "f", "v"];
    let id = ask(&mut client, &append);
    ask(&mut client, &["SELECT", "3"]);
    ask(&mut client, &["SET", "before", "1"]);
    assert_eq!(info(&mut client, "persistence", "aof_enabled"), "0");
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    assert_eq!(get(&mut client, "appendonly"), "yes");
    assert_eq!(info(&mut client, "persistence", "aof_enabled"), "1");
    assert_eq!(info(&mut client, "persistence", "journal_health"), "good");
    ask(&mut client, &["SET", "during", "1"]);
    let (server, mut client) = restarted(server, data.path());
    assert_eq!(ask(&mut client, &append), id);
    ask(&mut client, &["SELECT", "3"]);
    assert_eq!(ask(&mut client, &["EXISTS", "before", "during"]), "2");
    assert_eq!(set(&mut client, "appendonly", "no"), "+OK");
    assert_eq!(info(&mut client, "persistence", "aof_enabled"), "0");
    assert!(ask(&mut client, &["BGREWRITEAOF"]).starts_with('-'));
    ask(&mut client, &["SET", "after", "1"]);
    // As in Redis its files stay, and are what a start with a journal finds. It says so.
    let (server, mut client) = restarted(server, data.path());
    assert!(server.whole_log().contains("weir ran without this journal"));
    ask(&mut client, &["SELECT", "3"]);
    assert_eq!(
        ask(&mut client, &["EXISTS", "before", "during", "after"]),
        "2"
    );
    // It goes on from there, and nothing is to be said any more.
    ask(&mut client, &["SET", "again", "1"]);
    let (server, mut client) = restarted(server, data.path());
    assert!(!server.whole_log().contains("without this journal"));
    ask(&mut client, &["SELECT", "3"]);
    assert_eq!(ask(&mut client, &["EXISTS", "before", "again"]), "2");
    // Off and on again: what was written between is in it.
    assert_eq!(set(&mut client, "appendonly", "no"), "+OK");
    ask(&mut client, &["SET", "between", "1"]);
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    let (server, mut client) = restarted(server, data.path());
    assert!(!server.whole_log().contains("without this journal"));
    ask(&mut client, &["SELECT", "3"]);
    assert_eq!(ask(&mut client, &["EXISTS", "before", "between"]), "2");
}

#[test]
fn a_journal_that_was_turned_off_is_not_taken_for_newer_than_a_later_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let journal = [("appendonly", "yes")];
    let binary = peers::weir().unwrap();
    let server = Server::start_in(&binary, data.path(), &journal).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, &["SET", "k", "old"]);
    assert_eq!(set(&mut client, "appendonly", "no"), "+OK");
    ask(&mut client, &["SET", "k", "new"]);
    assert_eq!(ask(&mut client, &["SAVE"]), "+OK");
    server.kill().unwrap();
    let refused = Server::start_in(&binary, data.path(), &journal).unwrap_err();
    let refused = format!("{refused:#}");
    assert!(refused.contains("was written after that"), "{refused}");
    // A server that goes on with the snapshot may replace what it wrote itself, and turned off.
    let server = Server::start_in(&binary, data.path(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    let (_server, mut client) = restarted(server, data.path());
    assert_eq!(ask(&mut client, &["GET", "k"]), "\"new\"");
}

#[test]
fn a_journal_that_cannot_begin_leaves_everything_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("appendonlydir"), "no folder").unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let port = free_port().to_string();
    let refused = ask(
        &mut client,
        &[
            "CONFIG",
            "SET",
            "timeout",
            "77",
            "port",
            &port,
            "appendonly",
            "yes",
        ],
    );
    assert_eq!(
        refused,
        "-ERR CONFIG SET failed (possibly related to argument \\'appendonly\\') - Unable to turn on AOF. \
         Check server logs."
    );
    assert_eq!(get(&mut client, "timeout"), "0");
    assert_eq!(get(&mut client, "appendonly"), "no");
    assert!(server.connect(Protocol::Resp2).is_ok());
    assert_eq!(ask(&mut client, &["SET", "k", "v"]), "+OK");
    fs::remove_file(data.path().join("appendonlydir")).unwrap();
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    let (_server, mut client) = restarted(server, data.path());
    assert_eq!(ask(&mut client, &["GET", "k"]), "\"v\"");
}

#[test]
fn what_changed_while_running_is_there_after_a_rewrite_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.conf");
    fs::write(&file, "appendonly no\nsave \"\"\n").unwrap();
    let binary = peers::weir().unwrap();
    let data = [("dir", folder.path().to_str().unwrap())];
    let server = Server::start_from(&binary, &file, &data).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, &["SET", "k", "v"]);
    let changed = [
        "CONFIG",
        "SET",
        "appendonly",
        "yes",
        "tcp-keepalive",
        "60",
        "bind",
        "127.0.0.1",
    ];
    assert_eq!(ask(&mut client, &changed), "+OK");
    assert_eq!(ask(&mut client, &["CONFIG", "REWRITE"]), "+OK");
    server.kill().unwrap();
    let server = Server::start_from(&binary, &file, &data).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for (name, value) in [
        ("appendonly", "yes"),
        ("tcp-keepalive", "60"),
        ("bind", "127.0.0.1"),
    ] {
        assert_eq!(get(&mut client, name), value);
    }
    assert_eq!(ask(&mut client, &["GET", "k"]), "\"v\"");
}

#[test]
fn a_check_looks_for_what_a_configuration_file_names() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let names = [
        ("appenddirname", "log"),
        ("appendfilename", "mine"),
        ("dbfilename", "mine.rdb"),
    ];
    let binary = peers::weir().unwrap();
    let mut settings = names.to_vec();
    settings.push(("appendonly", "yes"));
    let server = Server::start_in(&binary, data.path(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut client, &["SET", "k", "v"]), "+OK");
    assert_eq!(ask(&mut client, &["SAVE"]), "+OK");
    server.kill().unwrap();
    let check = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&binary);
        let output = command.arg("check").args(arguments).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        (output.status.success(), told)
    };
    let (found, told) = check(&[path]);
    assert!(!found, "{told}");
    for part in ["*.manifest", "appendonlydir", "dump.rdb"] {
        assert!(told.contains(part), "{told}");
    }
    let file = data.path().join("weir.conf");
    let lines: String = names
        .iter()
        .map(|(name, value)| format!("{name} {value}\n"))
        .collect();
    fs::write(&file, format!("dir {path}\n{lines}")).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [&["--config", file][..], &["--config", file, path]] {
        let (found, told) = check(arguments);
        assert!(found, "{told}");
        assert!(
            told.contains("mine.manifest") && told.contains("mine.rdb"),
            "{told}"
        );
    }
}

/// Adds 1 again and again until the server is gone. How often it was told that it was done.
fn count(mut client: Client, told: &AtomicU64) {
    while let Ok(Value::Int(n)) = client.command(&["INCR", "n"]) {
        told.store(n.unsigned_abs(), Ordering::SeqCst);
    }
}

fn number(client: &mut Client, key: &str) -> u64 {
    match client.command(&["GET", key]).unwrap() {
        Value::Bulk(digits) => String::from_utf8_lossy(&digits).parse().unwrap(),
        _ => 0,
    }
}

/// Waits for a moment in the middle of something, as far as the machine gives it.
fn spin(microseconds: u64) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_micros(microseconds) {
        thread::yield_now();
    }
}

/// Values that make a base take its time.
fn fill(client: &mut Client) {
    for key in 0..40 {
        let key = format!("large:{key}");
        ask(client, &["SETRANGE", &key, "200000", "x"]);
    }
}

#[test]
fn a_kill_in_the_middle_of_a_switch_leaves_the_old_state_or_the_new() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    fill(&mut client);
    assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
    let (mut server, mut client) = restarted(server, data.path());
    let mut kept = 0;
    for (round, wait) in [0, 300, 1000, 3000, 6000, 12_000, 25_000, 50_000, 100_000]
        .into_iter()
        .enumerate()
    {
        // In the middle of turning it on: what was there before, or everything.
        assert_eq!(set(&mut client, "appendonly", "no"), "+OK");
        let without = kept + 1;
        ask(&mut client, &["SET", "state", &without.to_string()]);
        client
            .send(&["CONFIG", "SET", "appendonly", "yes"])
            .unwrap();
        spin(wait);
        (server, client) = restarted(server, data.path());
        let found = number(&mut client, "state");
        assert!(found == kept || found == without, "round {round}: {found}");
        // In the middle of turning it off: everything that was acknowledged before.
        kept = without + 1;
        assert_eq!(
            ask(&mut client, &["SET", "state", &kept.to_string()]),
            "+OK"
        );
        client.send(&["CONFIG", "SET", "appendonly", "no"]).unwrap();
        spin(wait / 20);
        (server, client) = restarted(server, data.path());
        assert_eq!(number(&mut client, "state"), kept, "round {round}");
    }
}

#[test]
fn what_was_acknowledged_since_the_journal_is_on_is_there_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(&peers::weir().unwrap(), data.path(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    fill(&mut client);
    for _ in 0..3 {
        let told = Arc::new(AtomicU64::new(0));
        let (counter, counting) = (Arc::clone(&told), server.connect(Protocol::Resp2).unwrap());
        let writer = thread::spawn(move || count(counting, &counter));
        if get(&mut client, "appendonly") == "yes" {
            assert_eq!(set(&mut client, "appendonly", "no"), "+OK");
        }
        spin(5000);
        assert_eq!(set(&mut client, "appendonly", "yes"), "+OK");
        let at_switch = told.load(Ordering::SeqCst);
        while told.load(Ordering::SeqCst) < at_switch + 20 {
            thread::yield_now();
        }
        server.kill().unwrap();
        writer.join().unwrap();
        let told = told.load(Ordering::SeqCst);
        let journal = [("appendonly", "yes"), ("appendfsync", "always")];
        server = Server::start_in(&peers::weir().unwrap(), data.path(), &journal).unwrap();
        client = server.connect(Protocol::Resp2).unwrap();
        let found = number(&mut client, "n");
        assert!(
            found == told || found == told + 1,
            "{told} told, {found} found"
        );
    }
}
