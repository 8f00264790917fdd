//! `MIGRATE` between weir and weir, weir and Redis, and to targets that fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::sockets::{PATIENCE, server};
use weir_tests::{all_types, data_set};

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

fn connect(server: &Server) -> Client {
    server.connect(Protocol::Resp2).unwrap()
}

/// Moves keys to a port of this machine; the arguments stand behind `port`.
fn migrate_to(client: &mut Client, port: u16, rest: &[&str]) -> String {
    let port = port.to_string();
    let request = [&["MIGRATE", "127.0.0.1", &port], rest].concat();
    ask(client, &request)
}

fn migrate(client: &mut Client, target: &Server, rest: &[&str]) -> String {
    migrate_to(client, target.address().port(), rest)
}

/// A target that a test plays: it takes one connection.
fn played(play: impl FnOnce(TcpStream) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        play(stream);
    });
    (port, thread)
}

/// Reads until so many requests to restore a key have come.
fn read_restores(stream: &mut TcpStream, count: usize) {
    let mut read = Vec::new();
    let is_restore = |window: &&[u8]| *window == b"RESTORE";
    while read.windows(7).filter(is_restore).count() < count || !read.ends_with(b"\r\n") {
        let mut bytes = [0; 4096];
        let came = stream.read(&mut bytes).unwrap();
        assert_ne!(came, 0, "the connection is closed");
        read.extend_from_slice(&bytes[..came]);
    }
}

/// A deadline of the data that is moved, without what the way takes.
fn without_the_way(line: &str) -> String {
    let mut parts = line.split("41024448");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        text.push_str("41024448");
        text.push_str(part.trim_start_matches(|it: char| it.is_ascii_digit()));
    }
    text
}

fn look(client: &mut Client) -> Vec<String> {
    let mut lines = data_set::look(client).unwrap();
    lines.extend(all_types::look(client).unwrap());
    lines.iter().map(|line| without_the_way(line)).collect()
}

/// Moves data of every type, and compares all that can be seen of it.
fn everything_moves(from: &Path, to: &Path) {
    let (source, target) = (Server::start(from).unwrap(), Server::start(to).unwrap());
    let (mut at_source, mut at_target) = (connect(&source), connect(&target));
    data_set::make(&mut at_source).unwrap();
    all_types::make(&mut at_source).unwrap();
    let (before, repeated) = (look(&mut at_source), data_set::repeat(&mut at_source));
    for database in ["0", "3", "5"] {
        ask(&mut at_source, &["SELECT", database]);
        let keys = at_source.command(&["KEYS", "*"]).unwrap();
        let keys: Vec<_> = keys.elements().unwrap().iter().collect();
        let mut request: Vec<Vec<u8>> = ["MIGRATE", "localhost"].map(Into::into).to_vec();
        request.push(target.address().port().to_string().into());
        request.extend(["", database, "20000", "KEYS"].map(Vec::from));
        request.extend(keys.iter().map(|key| key.as_bytes().unwrap().to_vec()));
        assert_eq!(at_source.command(&request).unwrap().to_string(), "+OK");
        assert_eq!(ask(&mut at_source, &["DBSIZE"]), "0");
    }
    assert_eq!(look(&mut at_target), before);
    // An append that was acknowledged before the move is not added again behind it. IDs that a
    // server makes of what is appended are its own.
    let kept = |answers: Vec<String>| {
        let is_kept = |answer: &String| from == to || !answer.contains("IDMPAUTO");
        answers.into_iter().filter(is_kept).collect::<Vec<_>>()
    };
    let again = data_set::repeat(&mut at_target).unwrap();
    assert_eq!(kept(again), kept(repeated.unwrap()));
}

#[test]
fn data_of_every_type_moves_from_weir_to_weir() {
    let weir = peers::weir().unwrap();
    everything_moves(&weir, &weir);
}

#[test]
fn data_of_every_type_moves_from_weir_to_redis_and_back() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let weir = peers::weir().unwrap();
    everything_moves(&weir, &redis);
    everything_moves(&redis, &weir);
}

#[test]
fn options_say_what_becomes_of_keys_here_and_there() {
    let (source, target) = (server(&[]), server(&[]));
    let (mut here, mut there) = (connect(&source), connect(&target));
    ask(&mut here, &["MSET", "a", "1", "b", "2", "c", "3"]);
    ask(&mut here, &["SET", "timed", "4", "PX", "60000"]);
    let answers = [
        (&["none", "0", "1000"][..], "+NOKEY"),
        (&["", "0", "1000", "KEYS", "none", "gone"], "+NOKEY"),
        (&["a", "0", "0", "COPY"], "+OK"),
        (
            &["a", "0", "1000"],
            "-ERR Target instance replied with error: BUSYKEY Target key name already exists.",
        ),
        (&["a", "0", "-1", "COPY", "REPLACE"], "+OK"),
        // One of several keys is refused: the others move.
        (
            &["", "0", "1000", "KEYS", "b", "a", "none", "c"],
            "-ERR Target instance replied with error: BUSYKEY Target key name already exists.",
        ),
        // The target selects no database, so it gets nothing.
        (
            &["a", "99", "1000", "REPLACE"],
            "-ERR Target instance replied with error: ERR DB index is out of range",
        ),
        (&["timed", "3", "1000"], "+OK"),
        (&["", "0", "1000", "REPLACE", "KEYS", "a", "a"], "+OK"),
    ];
    for (rest, answer) in answers {
        assert_eq!(migrate(&mut here, &target, rest), answer, "{rest:?}");
        if rest.contains(&"b") {
            assert_eq!(ask(&mut here, &["EXISTS", "a", "b", "c"]), "1");
            assert_eq!(ask(&mut there, &["EXISTS", "a", "b", "c"]), "3");
        }
    }
    assert_eq!(ask(&mut here, &["DBSIZE"]), "0");
    assert_eq!(
        ask(&mut there, &["MGET", "a", "b", "c"]),
        "[\"1\", \"2\", \"3\"]"
    );
    ask(&mut there, &["SELECT", "3"]);
    let left: i64 = ask(&mut there, &["PTTL", "timed"]).parse().unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[test]
fn who_asks_for_a_password_is_told_it() {
    let (source, target) = (server(&[]), server(&[("requirepass", "secret")]));
    let (mut here, mut there) = (connect(&source), connect(&target));
    ask(&mut there, &["AUTH", "secret"]);
    let user = ["ACL", "SETUSER", "mover", "on", ">word", "~m:*", "+restore"];
    assert_eq!(ask(&mut there, &user), "+OK");
    for key in ["a", "m:1", "other"] {
        ask(&mut here, &["SET", key, "v"]);
    }
    let refused = |why: &str| format!("-ERR Target instance replied with error: {why}");
    let wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    let rest = |key, how: &[&'static str]| [&[key, "0", "5000"], how].concat();
    let mut moves = |key, how: &[&'static str]| migrate(&mut here, &target, &rest(key, how));
    assert_eq!(moves("a", &[]), refused("NOAUTH Authentication required."));
    assert_eq!(moves("a", &["AUTH", "guess"]), refused(wrong));
    assert_eq!(moves("a", &["AUTH", "secret"]), "+OK");
    // Nobody profits from who has authenticated before.
    assert_eq!(
        moves("other", &[]),
        refused("NOAUTH Authentication required.")
    );
    assert_eq!(moves("m:1", &["AUTH2", "mover", "secret"]), refused(wrong));
    assert_eq!(moves("m:1", &["AUTH2", "mover", "word"]), "+OK");
    let denied = moves("other", &["AUTH2", "mover", "word"]);
    assert!(denied.starts_with(&refused("NOPERM ")), "{denied}");
    assert_eq!(ask(&mut here, &["KEYS", "*"]), "[\"other\"]");
    assert_eq!(ask(&mut there, &["EXISTS", "a", "m:1", "other"]), "2");
    let slow = ask(&mut here, &["SLOWLOG", "GET"]);
    assert!(!slow.contains("secret") && !slow.contains("word"), "{slow}");
}

#[test]
fn a_target_that_does_not_answer_costs_the_time_that_was_allowed_and_no_key() {
    let source = server(&[]);
    let (mut here, mut other) = (connect(&source), connect(&source));
    ask(&mut here, &["SET", "k", "v"]);
    let (told, is_connected) = mpsc::channel();
    let (released, release) = mpsc::channel::<()>();
    let (port, silent) = played(move |mut stream| {
        read_restores(&mut stream, 1);
        told.send(()).unwrap();
        // The connection stays open until the test is through.
        release.recv().unwrap_err();
    });
    let port_text = port.to_string();
    here.send(&["MIGRATE", "127.0.0.1", &port_text, "k", "0", "300"])
        .unwrap();
    is_connected.recv_timeout(PATIENCE).unwrap();
    // Others are served, and see the key.
    assert_eq!(ask(&mut other, &["GET", "k"]), "\"v\"");
    let answer = here.read().unwrap().to_string();
    assert_eq!(answer, "-IOERR error or timeout reading to target instance");
    assert_eq!(ask(&mut here, &["GET", "k"]), "\"v\"");
    drop(released);
    silent.join().unwrap();
    // Nobody listens there any more.
    let answer = migrate_to(&mut here, port, &["k", "0", "1000"]);
    assert_eq!(answer, "-IOERR error or timeout writing to target instance");
    let no_address = "-IOERR error or timeout connecting to the client";
    for (host, port) in [
        ("no such host", "1"),
        ("127.0.0.1", "0x1"),
        ("\u{7f}", "65536"),
    ] {
        let answer = ask(&mut here, &["MIGRATE", host, port, "k", "0", "1000"]);
        assert_eq!(answer, no_address, "{host} {port}");
    }
    assert_eq!(ask(&mut here, &["GET", "k"]), "\"v\"");
}

#[test]
fn what_a_target_had_confirmed_before_it_went_is_its() {
    let source = server(&[]);
    let mut here = connect(&source);
    ask(&mut here, &["MSET", "a", "1", "b", "2", "c", "3"]);
    let (port, going) = played(|mut stream| {
        read_restores(&mut stream, 3);
        stream.write_all(b"+OK\r\n-OOM no room\r\n+O").unwrap();
    });
    let answer = migrate_to(&mut here, port, &["", "0", "5000", "KEYS", "a", "b", "c"]);
    let refused = "-ERR Target instance replied with error: OOM no room";
    assert_eq!(answer, refused);
    going.join().unwrap();
    assert_eq!(
        ask(&mut here, &["MGET", "a", "b", "c"]),
        "[nil, \"2\", \"3\"]"
    );
    let (port, lying) = played(|mut stream| {
        read_restores(&mut stream, 1);
        stream.write_all(b":1\r\n").unwrap();
    });
    let answer = migrate_to(&mut here, port, &["b", "0", "5000"]);
    assert_eq!(answer, "-IOERR error or timeout reading to target instance");
    lying.join().unwrap();
    let (port, flooding) = played(|mut stream| {
        read_restores(&mut stream, 1);
        // It is cut off before all of that is taken.
        stream.write_all(&[b'-'; 1 << 24]).unwrap_err();
    });
    let answer = migrate_to(&mut here, port, &["b", "0", "5000"]);
    assert_eq!(answer, "-IOERR error or timeout reading to target instance");
    flooding.join().unwrap();
    assert_eq!(ask(&mut here, &["GET", "b"]), "\"2\"");
}

#[test]
fn a_key_that_is_changed_on_its_way_stays_and_the_client_is_told() {
    let source = server(&[]);
    let (mut here, mut other) = (connect(&source), connect(&source));
    ask(&mut here, &["MSET", "same", "1", "set", "2", "gone", "3"]);
    ask(&mut here, &["XADD", "stream", "1-1", "f", "v"]);
    let (told, has_come) = mpsc::channel();
    let (changed, is_changed) = mpsc::channel();
    let (port, target) = played(move |mut stream| {
        read_restores(&mut stream, 4);
        told.send(()).unwrap();
        is_changed.recv().unwrap();
        stream.write_all(&b"+OK\r\n".repeat(4)).unwrap();
    });
    let port = port.to_string();
    let keys = ["KEYS", "same", "set", "gone", "stream"];
    let request = [
        &["MIGRATE", "127.0.0.1", &port, "", "0", "20000"],
        &keys[..],
    ]
    .concat();
    here.send(&request).unwrap();
    has_come.recv_timeout(PATIENCE).unwrap();
    ask(&mut other, &["SET", "set", "new"]);
    ask(&mut other, &["DEL", "gone"]);
    ask(&mut other, &["XADD", "stream", "2-1", "f", "v"]);
    assert_eq!(ask(&mut other, &["GET", "same"]), "\"1\"");
    changed.send(()).unwrap();
    let answer = here.read().unwrap().to_string();
    assert_eq!(
        answer,
        "-ERR 3 keys were changed on their way and stay here; the target has them as they were"
    );
    target.join().unwrap();
    let left = ask(&mut here, &["MGET", "same", "set", "gone"]);
    assert_eq!(left, "[nil, \"new\", nil]");
    assert_eq!(ask(&mut here, &["XLEN", "stream"]), "2");
}

#[test]
fn the_keys_of_a_client_that_goes_stay() {
    let (source, target) = (server(&[]), server(&[]));
    let (mut here, mut going) = (connect(&source), connect(&source));
    ask(&mut here, &["MSET", "a", "1", "b", "2"]);
    let (told, has_come) = mpsc::channel();
    let (released, release) = mpsc::channel();
    let (port, slow) = played(move |mut stream| {
        read_restores(&mut stream, 1);
        told.send(()).unwrap();
        release.recv().unwrap();
        // Whether this still arrives does not matter.
        stream.write_all(b"+OK\r\n").ok();
    });
    let port = port.to_string();
    going
        .send(&["MIGRATE", "127.0.0.1", &port, "a", "0", "600000"])
        .unwrap();
    has_come.recv_timeout(PATIENCE).unwrap();
    drop(going);
    // The next one is not kept waiting for as long as the first would have been.
    assert_eq!(migrate(&mut here, &target, &["b", "0", "5000"]), "+OK");
    released.send(()).unwrap();
    slow.join().unwrap();
    assert_eq!(ask(&mut here, &["KEYS", "*"]), "[\"a\"]");
}

#[test]
fn nothing_moves_within_a_transaction_or_a_script() {
    let (source, target) = (server(&[]), server(&[]));
    let mut here = connect(&source);
    ask(&mut here, &["SET", "k", "v"]);
    ask(&mut here, &["MULTI"]);
    let refused = "-ERR Command not allowed inside a transaction";
    assert_eq!(migrate(&mut here, &target, &["k", "0", "1000"]), refused);
    let aborted = "-EXECABORT Transaction discarded because of previous errors.";
    assert_eq!(ask(&mut here, &["EXEC"]), aborted);
    let port = target.address().port().to_string();
    let script = "return redis.call('MIGRATE', '127.0.0.1', ARGV[1], KEYS[1], 0, 1000)";
    let answer = ask(&mut here, &["EVAL", script, "1", "k", &port]);
    let refused = "-ERR This Redis command is not allowed from script";
    assert!(answer.starts_with(refused), "{answer}");
    assert_eq!(ask(&mut here, &["GET", "k"]), "\"v\"");
}

#[test]
fn what_was_moved_is_gone_after_a_kill_and_what_was_not_is_there() {
    let (weir, data) = (peers::weir().unwrap(), tempfile::tempdir().unwrap());
    let settings = [("appendonly", "yes"), ("appendfsync", "always")];
    let target = server(&[]);
    let source = Server::start_in(&weir, data.path(), &settings).unwrap();
    let mut here = connect(&source);
    ask(&mut here, &["MSET", "moved", "1", "copied", "2"]);
    assert_eq!(migrate(&mut here, &target, &["moved", "0", "5000"]), "+OK");
    let copied = migrate(&mut here, &target, &["copied", "0", "5000", "COPY"]);
    assert_eq!(copied, "+OK");
    let source = source
        .kill_and_restart(&weir, data.path(), &settings)
        .unwrap();
    let mut here = connect(&source);
    assert_eq!(ask(&mut here, &["KEYS", "*"]), "[\"copied\"]");
    let values = ask(&mut connect(&target), &["MGET", "moved", "copied"]);
    assert_eq!(values, "[\"1\", \"2\"]");
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_target() {
    let source = server(&[]);
    let mut here = connect(&source);
    ask(&mut here, &["SET", "k", "v"]);
    let (told, has_come) = mpsc::channel();
    let (port, silent) = played(move |mut stream| {
        read_restores(&mut stream, 1);
        told.send(()).unwrap();
        // It ends with the process at the other end.
        while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
    });
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let request = [
        "MIGRATE",
        "127.0.0.1",
        &address.port().to_string(),
        "k",
        "0",
        "3600000",
    ];
    here.send(&request).unwrap();
    has_come.recv_timeout(PATIENCE).unwrap();
    source.stop().unwrap();
    silent.join().unwrap();
}
