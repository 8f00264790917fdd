//! Another program writes to the journal while weir runs: what weir has in memory is not what the
//! journal has, so weir answers nothing from it and loads the journal again.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use weir_tests::client::{Client, Protocol};
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::sockets::{figure, request, until};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

fn ask(client: &mut Client, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    client.command(&words).unwrap().to_string()
}

/// Asks until the data is loaded.
fn ask_loaded(client: &mut Client, words: &str) -> String {
    let begun = Instant::now();
    loop {
        let reply = ask(client, words);
        if !reply.starts_with("-LOADING") {
            return reply;
        }
        assert!(begun.elapsed() < PATIENCE, "{reply}");
        thread::yield_now();
    }
}

/// Appends to the journal as Redis does.
fn write_behind_its_back(data: &Path, key: &str) {
    let folder = data.join("appendonlydir");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let increment = files
        .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .max();
    let mut file = OpenOptions::new()
        .append(true)
        .open(increment.unwrap())
        .unwrap();
    let request = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n$1\r\n1\r\n", key.len());
    file.write_all(request.as_bytes()).unwrap();
}

#[test]
fn what_another_program_wrote_to_the_journal_is_loaded_and_nothing_acknowledged_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("appendonly", "yes"), ("appendfsync", "always")];
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &settings).unwrap();
    let connect = || server.connect(Protocol::Resp2).unwrap();
    let (mut client, mut other, mut blocked) = (connect(), connect(), connect());
    let append = "XADD s IDMP p 1 * f v";
    let id = ask(&mut client, append);
    blocked
        .send(&["XREAD", "BLOCK", "0", "STREAMS", "later", "$"])
        .unwrap();
    until(|| figure(&mut client, "blocked_clients") == 1);
    for round in 1..=3 {
        write_behind_its_back(data.path(), &format!("foreign:{round}"));
        // Two requests at once: each gets an error of its own, or finds that data is loaded.
        other.send(&["SET", "k", "lost"]).unwrap();
        other.send(&["GET", "k"]).unwrap();
        let write = other.read().unwrap().to_string();
        assert!(
            write.starts_with("-NOTDURABLE Somebody else wrote"),
            "{write}"
        );
        assert!(write.contains("it may be sent again"), "{write}");
        let read = other.read().unwrap().to_string();
        assert!(
            read.starts_with("-NOTDURABLE") || read.starts_with("-LOADING"),
            "{read}"
        );
        // What was acknowledged is there, the foreign write too, and what was an error is not.
        let key = format!("GET foreign:{round}");
        assert_eq!(ask_loaded(&mut client, &key), "\"1\"");
        let expected = if round == 1 { "nil" } else { "\"kept\"" };
        assert_eq!(ask(&mut other, "GET k"), expected);
        assert_eq!(ask(&mut client, append), id);
        assert_eq!(ask(&mut other, "SET k kept"), "+OK");
        assert_eq!(ask(&mut client, "XLEN s"), "1");
    }
    // A client that waited through all of it gets its entry.
    ask(&mut client, "XADD later 1-1 f v");
    let entry = blocked.read().unwrap().to_string();
    assert!(entry.contains("1-1"), "{entry}");

    server.kill().unwrap();
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut client, "GET k"), "\"kept\"");
    assert_eq!(ask(&mut client, append), id);
    assert_eq!(
        ask(&mut client, "EXISTS foreign:1 foreign:2 foreign:3"),
        "3"
    );
}

#[test]
fn what_is_not_in_the_journal_is_not_sent_to_another_server() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("appendonly", "yes"), ("appendfsync", "always")];
    let server = Server::start_in(&peers::weir().unwrap(), data.path(), &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    target.set_nonblocking(true).unwrap();
    let port = target.local_addr().unwrap().port().to_string();
    assert_eq!(ask(&mut client, "SET k kept"), "+OK");
    write_behind_its_back(data.path(), "foreign");
    // Both run before the journal is written.
    let write: [&[u8]; 3] = [b"SET", b"k", b"lost"];
    let address: [&[u8]; 3] = [b"MIGRATE", b"127.0.0.1", port.as_bytes()];
    let migrate = [&address[..], &[b"k", b"0", b"20000"]].concat();
    let requests = [request(&write), request(&migrate)].concat();
    client.send_raw(&requests).unwrap();
    let write = client.read().unwrap().to_string();
    assert!(
        write.starts_with("-NOTDURABLE Somebody else wrote"),
        "{write}"
    );
    let migrate = client.read().unwrap().to_string();
    let is_refused = migrate.starts_with("-NOTDURABLE") || migrate.starts_with("-LOADING");
    assert!(is_refused, "{migrate}");
    let asked = target.accept().unwrap_err();
    assert_eq!(asked.kind(), ErrorKind::WouldBlock);
    assert_eq!(ask_loaded(&mut client, "GET k"), "\"kept\"");
}
