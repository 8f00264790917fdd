//! A disk that is full: nobody waits for it for ever, what makes room is accepted, and all is well
//! again when there is room.
//!
//! Two kinds of fullness. A limit on the size of files needs no privilege, and no reserve helps
//! against it. A small file system needs `mount`, and so root; where that is not possible, the
//! tests that need it are left out.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use weir_tests::client::{Client, Protocol};
use weir_tests::http;
use weir_tests::left_out;
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::value::Value;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a reply may take on a disk that is full.
const AT_ONCE: Duration = Duration::from_secs(5);

fn start(data: &Path, reserve_bytes: usize) -> Server {
    let settings = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("auto-aof-rewrite-percentage", "0"),
        ("aof-reserve-size", &reserve_bytes.to_string()),
    ];
    Server::start_in(&peers::weir().unwrap(), data, &settings).unwrap()
}

/// A folder in memory, where the system has one: a disk that others keep busy can take longer over
/// a sync than a test waits for the reply.
fn folder() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).unwrap()
}

fn connect(server: &Server) -> Client {
    server.connect(Protocol::Resp2).unwrap()
}

/// A reply, which must come at once.
fn ask(client: &mut Client, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let begun = Instant::now();
    let reply = client.command(&words).unwrap().to_string();
    assert!(begun.elapsed() < AT_ONCE, "{words:?} took its time");
    reply
}

fn until(client: &mut Client, words: &str, holds: impl Fn(&str) -> bool) {
    let begun = Instant::now();
    loop {
        let reply = ask(client, words);
        if holds(&reply) {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{words} does not come about: {reply}"
        );
        thread::yield_now();
    }
}

fn until_health(client: &mut Client, health: &str) {
    let line = format!("journal_health:{health}\\r");
    until(client, "INFO persistence", |info| info.contains(&line));
}

/// Rewrites the journal, and says whether that succeeded.
fn rewrite(client: &mut Client) -> bool {
    let ended = |info: &str| {
        let figure = |name: &str| {
            let rest = info.split(name).nth(1).unwrap();
            rest.split('\\').next().unwrap().parse::<u64>().unwrap()
        };
        let failures = figure("aof_rewrites_consecutive_failures:");
        (figure("aof_rewrites:"), failures)
    };
    let before = ended(&ask(client, "INFO persistence"));
    assert!(ask(client, "BGREWRITEAOF").starts_with("+Background"));
    until(client, "INFO persistence", |info| ended(info) != before);
    ended(&ask(client, "INFO persistence")).0 > before.0
}

/// Sets the limit on the size of a server's files.
fn limit_files(server: &Server, bytes: Option<u64>) {
    let process = Pid::from_raw(i32::try_from(server.process_id()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(process, Resource::Fsize, limit).unwrap();
}

/// Appends until that fails; returns how many succeeded, and the error.
fn append_until_refused(client: &mut Client) -> (i64, String) {
    let value = "v".repeat(4 << 10);
    for count in 0.. {
        let begun = Instant::now();
        let reply = client.command(&["XADD", "s", "*", "f", &value]).unwrap();
        assert!(begun.elapsed() < AT_ONCE);
        if !matches!(reply, Value::Bulk(_)) {
            return (count, reply.to_string());
        }
        assert!(count < 100_000, "the disk is large");
    }
    unreachable!("the loop ends")
}

#[test]
fn a_write_that_finds_no_room_is_an_error_and_may_be_sent_again() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    ask(&mut client, "SET durable 1");
    ask(&mut client, "XADD s 1-1 f v");
    limit_files(&server, Some(256 << 10));
    let (acknowledged, error) = append_until_refused(&mut client);
    assert!(
        error.starts_with("-NOTDURABLE The disk is full."),
        "{error}"
    );
    // What comes later is refused, and so not done.
    let mut other = connect(&server);
    let refused = ask(&mut other, "SET key value");
    assert!(
        refused.starts_with("-MISCONF The journal cannot be written"),
        "{refused}"
    );
    assert!(refused.contains("appendonly.aof.1.incr.aof"), "{refused}");
    // Reads go on, except for what nobody knows to be durable.
    assert_eq!(ask(&mut other, "GET durable"), "\"1\"");
    assert!(ask(&mut other, "XLEN s").starts_with("-NOTDURABLE"));
    let info = ask(&mut other, "INFO persistence");
    assert!(info.contains("journal_health:full"), "{info}");
    assert!(info.contains("aof_last_write_status:err"), "{info}");
    let info = ask(&mut other, "INFO errorstats");
    assert!(info.contains("errorstat_NOTDURABLE:count=2"), "{info}");

    limit_files(&server, None);
    until_health(&mut other, "good");
    // The first of them, the acknowledged ones, and the one that was an error.
    assert_eq!(ask(&mut other, "XLEN s"), (acknowledged + 2).to_string());
    assert_eq!(ask(&mut client, "SET key value"), "+OK");
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, "XLEN s"), (acknowledged + 2).to_string());
    assert_eq!(ask(&mut client, "GET key"), "\"value\"");
}

#[test]
fn an_idempotent_append_that_was_an_error_is_not_doubled() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    ask(&mut client, "XADD s 1-1 f v");
    limit_files(&server, Some(200 << 10));
    let value = "v".repeat(4 << 10);
    let append = |number: u32| format!("XADD s IDMP p {number} * f {value}");
    let failed = (1..1000)
        .find(|number| ask(&mut client, &append(*number)).starts_with("-NOTDURABLE"))
        .unwrap();
    // It is refused while that lasts, and has its first ID afterwards.
    assert!(ask(&mut client, &append(failed)).starts_with("-MISCONF"));
    limit_files(&server, None);
    until_health(&mut client, "good");
    let len = ask(&mut client, "XLEN s");
    let last = ask(&mut client, "XREVRANGE s + - COUNT 1");
    let again = ask(&mut client, &append(failed));
    assert!(last.contains(&again), "{again}");
    assert_eq!(ask(&mut client, "XLEN s"), len);
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, &append(failed)), again);
    assert_eq!(ask(&mut client, "XLEN s"), len);
}

#[test]
fn a_rewrite_covers_what_found_no_room() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    ask(&mut client, "SET kept 1");
    limit_files(&server, Some(256 << 10));
    let (_, error) = append_until_refused(&mut client);
    assert!(error.starts_with("-NOTDURABLE"), "{error}");
    // The deletion is done, and reported when it is durable.
    assert!(ask(&mut client, "DEL s").starts_with("-NOTDURABLE"));
    assert!(ask(&mut client, "EXISTS s").starts_with("-NOTDURABLE"));
    assert!(rewrite(&mut client));
    until_health(&mut client, "good");
    assert_eq!(ask(&mut client, "EXISTS s"), "0");
    assert_eq!(ask(&mut client, "SET key value"), "+OK");
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, "DBSIZE"), "2");
}

#[test]
fn a_journal_that_finds_no_room_can_be_turned_off_and_on_again() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    ask(&mut client, "SET durable 1");
    limit_files(&server, Some(256 << 10));
    let (acknowledged, error) = append_until_refused(&mut client);
    assert!(error.starts_with("-NOTDURABLE"), "{error}");
    assert_eq!(ask(&mut client, "CONFIG SET appendonly no"), "+OK");
    // Nothing waits for a journal any more, neither reads nor writes.
    let entries = (acknowledged + 1).to_string();
    assert_eq!(ask(&mut client, "XLEN s"), entries);
    assert_eq!(ask(&mut client, "SET without 1"), "+OK");
    assert!(ask(&mut client, "INFO persistence").contains("aof_enabled:0"));
    let log = server.log();
    assert!(log.contains("is not complete"), "{log}");

    // Turned on again, it has all that is in memory.
    limit_files(&server, None);
    assert_eq!(ask(&mut client, "CONFIG SET appendonly yes"), "+OK");
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, "XLEN s"), entries);
    assert_eq!(ask(&mut client, "EXISTS durable without"), "2");
}

#[test]
fn a_journal_that_was_turned_off_without_room_keeps_what_was_acknowledged_before() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    limit_files(&server, Some(256 << 10));
    let (acknowledged, error) = append_until_refused(&mut client);
    assert!(error.starts_with("-NOTDURABLE"), "{error}");
    assert_eq!(ask(&mut client, "CONFIG SET appendonly no"), "+OK");
    assert_eq!(ask(&mut client, "SET without 1"), "+OK");
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    let entries: i64 = ask(&mut client, "XLEN s").parse().unwrap();
    assert!((acknowledged..=acknowledged + 1).contains(&entries));
    assert_eq!(ask(&mut client, "EXISTS without"), "0");
}

/// A small file system, and something that takes what room it has.
struct SmallDisk {
    folder: TempDir,
    ballast: File,
}

impl SmallDisk {
    /// None if nothing may be mounted.
    fn mount(bytes: usize) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("mount");
        let options = format!("size={bytes}");
        command.args(["-t", "tmpfs", "-o", &options, "weir-test"]);
        let output = command.arg(folder.path()).output();
        if !output.is_ok_and(|output| output.status.success()) {
            let why = "nothing can be mounted here, which takes root";
            left_out::note("WEIR_REQUIRE_MOUNTS", why).unwrap();
            return None;
        }
        let ballast = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.path().join("ballast"))
            .unwrap();
        Some(SmallDisk { folder, ballast })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room except this many bytes.
    fn fill(&mut self, all_but: u64) {
        let piece = [b'x'; 4096];
        while self.ballast.write_all(&piece).is_ok() {}
        let taken = self.ballast.metadata().unwrap().len();
        self.ballast.set_len(taken - all_but).unwrap();
    }

    fn empty(&mut self) {
        self.ballast.set_len(0).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut command = Command::new("umount");
        // A process that still has a file there keeps it until it ends.
        let output = command.arg("-l").arg(self.folder.path()).output();
        assert!(output.unwrap().status.success(), "it stays mounted");
    }
}

const RESERVE_BYTES: usize = 1 << 20;

#[test]
fn the_reserve_takes_what_makes_room() {
    let Some(disk) = SmallDisk::mount(8 << 20) else {
        return;
    };
    let server = start(disk.path(), RESERVE_BYTES);
    let mut client = connect(&server);
    let value = "v".repeat(50_000);
    let mut keys = 0;
    let refused = loop {
        let reply = ask(&mut client, &format!("SET key:{keys} {value}"));
        if reply != "+OK" {
            break reply;
        }
        keys += 1;
    };
    // The write that found no room went into the reserve, and was acknowledged.
    assert!(refused.starts_with("-MISCONF"), "{refused}");
    assert!(
        refused.contains("No space left") && refused.contains("BGREWRITEAOF"),
        "{refused}"
    );
    let info = ask(&mut client, "INFO persistence");
    assert!(info.contains("journal_health:reserve"), "{info}");
    assert_eq!(ask(&mut client, "DBSIZE"), keys.to_string());
    assert_eq!(ask(&mut client, "KEYS key:0"), "[\"key:0\"]");
    for key in 3..keys {
        assert_eq!(ask(&mut client, &format!("DEL key:{key}")), "1");
    }
    assert!(rewrite(&mut client), "{}", server.log());
    until_health(&mut client, "good");
    assert_eq!(ask(&mut client, &format!("SET again {value}")), "+OK");
    server.kill().unwrap();
    let server = start(disk.path(), RESERVE_BYTES);
    assert_eq!(ask(&mut connect(&server), "DBSIZE"), "4");
}

/// Sends requests in a row.
fn send(client: &mut Client, requests: &[&str]) {
    for request in requests {
        let words: Vec<&str> = request.split(' ').collect();
        client.send(&words).unwrap();
    }
}

/// Reads this many replies: the first word of each.
fn replies(client: &mut Client, count: usize) -> Vec<String> {
    let texts = (0..count).map(|_| client.read().unwrap().to_string());
    let first = |text: String| text.split(' ').next().unwrap_or_default().to_owned();
    texts.map(first).collect()
}

#[test]
fn with_the_reserve_used_up_each_request_gets_one_answer_in_its_turn() {
    let Some(mut disk) = SmallDisk::mount(8 << 20) else {
        return;
    };
    let server = start(disk.path(), RESERVE_BYTES);
    let mut client = connect(&server);
    let mut blocked = connect(&server);
    for key in 0..400 {
        assert_eq!(ask(&mut client, &format!("SET key:{key} 1")), "+OK");
    }
    ask(&mut client, "XGROUP CREATE b g $ MKSTREAM");
    send(
        &mut blocked,
        &["XREADGROUP GROUP g c BLOCK 0 STREAMS b >", "PING"],
    );
    until(&mut client, "CLIENT LIST", |list| {
        list.contains("cmd=xreadgroup")
    });
    disk.fill(0);
    let (_, error) = append_until_refused(&mut client);
    assert!(error.starts_with("-MISCONF"), "{error}");
    // Somebody else takes the room that was kept.
    disk.fill(0);
    let mut gone = 0;
    let error = loop {
        let reply = ask(&mut client, &format!("DEL key:{gone}"));
        gone += 1;
        if reply != "1" {
            break reply;
        }
    };
    assert!(
        error.starts_with("-NOTDURABLE The disk is full."),
        "{error}"
    );

    // What depends on nothing is answered, the rest is not known.
    let requests = [
        "DEL key:399",
        "GET key:398",
        "MULTI",
        "DEL key:397",
        "EXEC",
        "CLIENT REPLY SKIP",
        "DEL key:396",
        "DBSIZE",
        "CLIENT REPLY OFF",
        "DEL key:395",
        "CLIENT REPLY ON",
        "KEYS *",
        "PING",
    ];
    send(&mut client, &requests);
    let unknown = "-NOTDURABLE";
    assert_eq!(
        replies(&mut client, 9),
        [
            unknown, "\"1\"", "+OK", "+QUEUED", unknown, unknown, "+OK", unknown, "+PONG"
        ]
    );
    assert!(!client.has_input().unwrap());

    // A client waits whose request would be a write if it continued.
    assert!(ask(&mut client, "XGROUP DESTROY b g").starts_with(unknown));
    assert_eq!(replies(&mut blocked, 2), ["-MISCONF", "+PONG"]);

    // There is not even room for a rewrite.
    assert!(!rewrite(&mut client));
    disk.empty();
    until_health(&mut client, "good");
    // Four more went in the pipeline; two streams came.
    let keys = 400 - gone - 4 + 2;
    assert_eq!(ask(&mut client, "DBSIZE"), keys.to_string());
    assert_eq!(ask(&mut client, "SET key value"), "+OK");
    let len = ask(&mut client, "XLEN s");
    server.kill().unwrap();
    let server = start(disk.path(), RESERVE_BYTES);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, "DBSIZE"), (keys + 1).to_string());
    assert_eq!(ask(&mut client, "XLEN s"), len);
    assert_eq!(ask(&mut client, "XINFO GROUPS b"), "[]");
}

#[test]
fn http_says_that_the_server_is_not_ready_while_the_journal_is_full() {
    let settings = [("appendonly", "yes"), ("aof-reserve-size", "0")];
    let (server, at) = http::serve(&peers::weir().unwrap(), &settings).unwrap();
    let mut client = connect(&server);
    let told = |path: &str| {
        let answer = http::get(at, path).unwrap();
        (answer.status, answer.body)
    };
    let until_ready_is = |expected: (u16, &str)| {
        let begun = Instant::now();
        while told("/readyz") != (expected.0, expected.1.to_owned()) {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{:?}",
                told("/readyz")
            );
        }
    };
    until_ready_is((200, "ready\n"));
    limit_files(&server, Some(256 << 10));
    append_until_refused(&mut client);
    until_ready_is((503, "writes are refused: full\n"));
    assert_eq!(told("/healthz"), (200, "ok\n".to_owned()));
    limit_files(&server, None);
    until_ready_is((200, "ready\n"));
}

#[test]
fn the_journal_is_turned_off_on_a_full_disk_and_what_was_acknowledged_stays() {
    let data = folder();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    limit_files(&server, Some(256 << 10));
    let (acknowledged, error) = append_until_refused(&mut client);
    assert!(error.starts_with("-NOTDURABLE"), "{error}");
    assert_eq!(ask(&mut client, "CONFIG SET appendonly no"), "+OK");
    // No reply waits for a journal any more, and none is an error because of it.
    let mut other = connect(&server);
    for client in [&mut client, &mut other] {
        assert_eq!(ask(client, "SET k 1"), "+OK");
        assert_eq!(ask(client, "GET k"), "\"1\"");
        assert_eq!(ask(client, "XLEN s"), (acknowledged + 1).to_string());
    }
    // On again, when there is room: it begins with everything, what was an error included.
    limit_files(&server, None);
    assert_eq!(ask(&mut client, "CONFIG SET appendonly yes"), "+OK");
    assert_eq!(ask(&mut client, "SET k 2"), "+OK");
    server.kill().unwrap();
    let server = start(data.path(), 0);
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, "GET k"), "\"2\"");
    assert_eq!(ask(&mut client, "XLEN s"), (acknowledged + 1).to_string());
}
