//! Files that go back and forth between weir and a real Redis.
//!
//! `WEIR_PEERS` names the folder that `tests/peers` made, as `cargo xtask test` does where it can.
//! Without it there is no Redis to ask, and these tests say so and pass, unless
//! `WEIR_REQUIRE_PEERS` is set.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{
    Ending, FileDisk, Group, Item, LocalLog, Log, Lsn, Names, Pace, Recovery, Report,
    SnapshotFormat, SnapshotSink, TornTail, Trimmed,
};

fn redis() -> Option<PathBuf> {
    let Some(peers) = std::env::var_os("WEIR_PEERS") else {
        let required = std::env::var_os("WEIR_REQUIRE_PEERS");
        assert!(required.is_none(), "WEIR_PEERS must name a folder");
        let said = "left out: the exchange of files with Redis, since WEIR_PEERS is not set";
        // Whoever has closed it does not need to know.
        writeln!(std::io::stderr(), "{said}").ok();
        return None;
    };
    let program = PathBuf::from(peers).join("bin/redis86-server");
    assert!(
        program.exists(),
        "WEIR_PEERS names a folder without redis86-server"
    );
    Some(program)
}

/// A running Redis with append-only files in a folder.
struct Server {
    child: Child,
    client: BufReader<TcpStream>,
}

impl Server {
    fn start(program: &Path, folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new(program)
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                let mut server = Server {
                    child,
                    client: BufReader::new(stream),
                };
                while server.ask("PING") != "+PONG" {
                    assert!(Instant::now() < deadline, "Redis does not finish loading");
                }
                return server;
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("Redis does not start: {status}");
            }
            assert!(Instant::now() < deadline, "Redis does not listen");
            std::thread::yield_now();
        }
    }

    /// The reply to an inline command; of a bulk string, its content.
    fn ask(&mut self, command: &str) -> String {
        self.client
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        let line = self.line();
        if line.starts_with('$') && line != "$-1" {
            self.line()
        } else {
            line
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.client.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
    bytes
}

struct Found {
    base: Vec<u8>,
    batches: Vec<u8>,
    log: LocalLog<FileDisk>,
    report: Report,
}

fn read(folder: &Path) -> Found {
    let disk = Arc::new(FileDisk::open(&folder.join("appendonlydir")).unwrap());
    let mut recovery = Recovery::open(disk, Names::new("appendonly.aof"), TornTail::Cut).unwrap();
    let (mut base, mut batches) = (Vec::new(), Vec::new());
    while let Some(item) = recovery.next().unwrap() {
        match item {
            Item::Base(mut reader) => drop(reader.read_to_end(&mut base).unwrap()),
            Item::BaseCommands(bytes) => base.extend_from_slice(bytes),
            Item::Batches(found) => batches.extend_from_slice(found.bytes),
        }
    }
    let (log, report) = recovery.finish().unwrap();
    Found {
        base,
        batches,
        log,
        report,
    }
}

fn append(log: &mut LocalLog<FileDisk>, batches: &[Vec<u8>]) {
    let at = log.last();
    let last = at.plus(batches.len() as u64);
    log.append(
        at,
        Group {
            pieces: &[&batches.concat()],
            last,
            pace: Pace::SyncNext,
        },
    )
    .unwrap();
    log.sync().unwrap();
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn redis_loads_what_weir_wrote_and_weir_what_redis_added() {
    let Some(program) = redis() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut log = read(folder.path()).log;
    let annotated = |time: u64| format!("#t:{time}\r\n").into_bytes();
    append(
        &mut log,
        &[command(&["SELECT", "0"]), command(&["SET", "a", "one"])],
    );
    let transaction = [
        annotated(1_795_449_547_280),
        command(&["MULTI"]),
        command(&["SET", "b", "two"]),
        annotated(1_795_449_547_281),
        command(&[
            "XADD",
            "s",
            "7-1",
            "f",
            "v\n#weir:1 lsn=1 n=1 len=1 crc=00000000",
        ]),
        command(&["EXEC"]),
    ];
    append(&mut log, &[transaction.concat()]);
    append(
        &mut log,
        &[command(&["INCR", "n"]), command(&["INCR", "n"])],
    );
    // Killed: the padding stays.
    drop(log);
    let increment = folder
        .path()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    assert!(std::fs::read(&increment).unwrap().ends_with(b"####\n"));

    let mut server = Server::start(&program, folder.path());
    assert_eq!(server.ask("GET a"), "one");
    assert_eq!(server.ask("GET b"), "two");
    assert_eq!(server.ask("GET n"), "2");
    assert_eq!(server.ask("XLEN s"), ":1");
    assert_eq!(server.ask("SET c three"), "+OK");
    drop(server);

    let mut found = read(folder.path());
    assert_eq!((found.report.groups, found.report.foreign_batches), (3, 2));
    assert_eq!(found.report.last, Lsn::new(7));
    assert!(found.report.cuts.is_empty() && found.report.ending == Ending::Open);
    assert!(contains(&found.batches, &command(&["SET", "c", "three"])));
    append(
        &mut found.log,
        &[command(&["SELECT", "0"]), command(&["SET", "d", "four"])],
    );
    found.log.close().unwrap();
    drop(found);

    let mut server = Server::start(&program, folder.path());
    assert_eq!(server.ask("GET c"), "three");
    assert_eq!(server.ask("GET d"), "four");
    assert_eq!(server.ask("DBSIZE"), ":6");
}

#[test]
fn weir_reads_what_redis_wrote_and_redis_what_weir_added() {
    let Some(program) = redis() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&program, folder.path());
    assert_eq!(server.ask("SET a one"), "+OK");
    assert_eq!(
        server.ask("BGREWRITEAOF"),
        "+Background append only file rewriting started"
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    let manifest = folder.path().join("appendonlydir/appendonly.aof.manifest");
    let rewritten = |text: &str| text.contains("2.base.rdb") && !text.contains("type h");
    while !rewritten(&std::fs::read_to_string(&manifest).unwrap()) {
        assert!(Instant::now() < deadline, "Redis does not rewrite");
        server.ask("PING");
    }
    for (request, reply) in [
        ("SET b two", "+OK"),
        ("MULTI", "+OK"),
        ("XADD s 7-1 f v", "+QUEUED"),
        ("SET c three", "+QUEUED"),
    ] {
        assert_eq!(server.ask(request), reply);
    }
    assert_eq!(server.ask("EXEC"), "*2");
    drop(server);

    let mut found = read(folder.path());
    assert!(found.base.starts_with(b"REDIS"));
    assert!(contains(&found.base, b"one"));
    // SELECT, SET, and the transaction.
    assert_eq!(found.report.foreign_batches, 3);
    let end = [command(&["SET", "c", "three"]), command(&["EXEC"])].concat();
    assert!(found.batches.ends_with(&end));
    append(
        &mut found.log,
        &[command(&["SELECT", "0"]), command(&["SET", "d", "four"])],
    );
    // A rewrite by weir; Redis' own base serves for it.
    let at = found.log.last();
    let base = [&found.base[..], b""].concat();
    let mut sink = found.log.begin_snapshot(at).unwrap();
    sink.write_all(&base).unwrap();
    append(
        &mut found.log,
        &[command(&["SELECT", "0"]), command(&["SET", "e", "five"])],
    );
    let snapshot = sink.finish(SnapshotFormat::Rdb).unwrap();
    found.log.put_snapshot(snapshot).unwrap().remove();
    drop(found);

    let mut server = Server::start(&program, folder.path());
    assert_eq!(server.ask("GET a"), "one");
    assert_eq!(server.ask("GET d"), "$-1");
    assert_eq!(server.ask("GET e"), "five");
}

#[test]
fn redis_cuts_a_torn_end_of_weir_off_as_its_own() {
    let Some(program) = redis() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut log = read(folder.path()).log;
    append(
        &mut log,
        &[command(&["SELECT", "0"]), command(&["SET", "a", "one"])],
    );
    append(&mut log, &[command(&["SET", "b", "two"])]);
    log.close().unwrap();
    drop(log);
    let increment = folder
        .path()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    let content = std::fs::read(&increment).unwrap();
    let close_bytes = 38;
    std::fs::write(&increment, &content[..content.len() - close_bytes - 3]).unwrap();
    let mut server = Server::start(&program, folder.path());
    assert_eq!(server.ask("GET a"), "one");
    assert_eq!(server.ask("GET b"), "$-1");
}
