//! A command that takes long does not make the server deaf, with one I/O thread or several: what
//! others are answered meanwhile, as Redis answers it during a script.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::path::PathBuf;

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::sockets::{self, until};
use weir_tests::value::Value;

const BUSY: &str =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const OK: &str = "OK";

/// What is answered meanwhile. Each line is asked in a connection of its own.
const MEANWHILE: &[(&str, &[&str])] = &[
    ("PING", &[BUSY]),
    ("GET k", &[BUSY]),
    ("SELECT 1", &[BUSY]),
    ("CLIENT ID", &[BUSY]),
    ("INFO", &[BUSY]),
    ("MONITOR", &[BUSY]),
    ("DEBUG SLEEP 0", &[BUSY]),
    ("SHUTDOWN", &[BUSY]),
    ("SHUTDOWN SAVE", &[BUSY]),
    ("SHUTDOWN ABORT", &["ERR No shutdown in progress."]),
    ("NOSUCH", &["ERR unknown command 'NOSUCH'"]),
    ("GET", &["ERR wrong number of arguments for 'get' command"]),
    ("WATCH k", &[OK]),
    ("UNWATCH", &[OK]),
    ("RESET", &["RESET"]),
    ("QUIT", &[OK]),
    (
        "AUTH x",
        &[
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        ],
    ),
    ("DISCARD", &["ERR DISCARD without MULTI"]),
    (
        "MULTI, GET k, EXEC, PING",
        &[
            OK,
            BUSY,
            "EXECABORT Transaction discarded because of: BUSY Redis is busy running a script. You \
             can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            BUSY,
        ],
    ),
    ("MULTI, DISCARD, PING", &[OK, OK, BUSY]),
];

fn words(request: &str) -> Vec<&str> {
    request.split(' ').collect()
}

/// The text of a reply that is one.
fn text(value: &Value) -> String {
    match value {
        Value::Simple(text) | Value::Error(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}

fn ask(client: &mut Client, request: &str) -> String {
    text(&client.command(&words(request)).unwrap())
}

/// Lets a client send a command that takes long, and waits until others are told of it.
fn sleep(server: &Server, long: &[&str]) -> Client {
    let mut sleeper = server.connect(Protocol::Resp2).unwrap();
    sleeper.send(long).unwrap();
    let mut other = server.connect(Protocol::Resp2).unwrap();
    until(|| ask(&mut other, "PING") == BUSY);
    sleeper
}

/// Servers with the command that takes long there.
fn servers() -> Vec<(PathBuf, &'static str, Vec<&'static str>)> {
    let weir = peers::weir().unwrap();
    let debug = vec!["DEBUG", "SLEEP", "600"];
    let script = vec!["EVAL", "while true do end", "0"];
    let mut servers = vec![
        (weir.clone(), "1", debug.clone()),
        (weir.clone(), "4", debug),
        (weir.clone(), "1", script.clone()),
        (weir, "4", script.clone()),
    ];
    if let Some(redis) = Peers::binary("redis86-server").unwrap() {
        servers.push((redis, "1", script));
    }
    servers
}

#[test]
fn while_a_command_takes_long_others_are_answered_as_redis_answers_them() {
    for (binary, io_threads, long) in servers() {
        let settings = [("busy-reply-threshold", "20"), ("io-threads", io_threads)];
        let server = Server::start_with(&binary, &settings).unwrap();
        let mut queued = server.connect(Protocol::Resp2).unwrap();
        assert_eq!(ask(&mut queued, "MULTI"), OK);
        assert_eq!(ask(&mut queued, "SET k v"), "QUEUED");
        let mut sleeper = sleep(&server, &long);
        for (requests, replies) in MEANWHILE {
            let mut client = server.connect(Protocol::Resp2).unwrap();
            for (request, reply) in requests.split(", ").zip(*replies) {
                let which = format!("{}, {io_threads}: {request}", binary.display());
                assert_eq!(ask(&mut client, request), *reply, "{which}");
            }
        }
        // What was queued before is lost by a request that cannot be queued.
        assert_eq!(ask(&mut queued, "SET k w"), BUSY);
        // One that greets with RESP3 is let in.
        let mut killer = server.connect(Protocol::Resp3).unwrap();
        assert_eq!(ask(&mut killer, "SCRIPT KILL"), OK);
        let killed = text(&sleeper.read().unwrap());
        assert!(
            killed.starts_with("ERR Script killed by user with SCRIPT KILL."),
            "{killed}"
        );
        let none = "NOTBUSY No scripts in execution right now.";
        assert_eq!(ask(&mut killer, "SCRIPT KILL"), none);
        assert_eq!(ask(&mut killer, "FUNCTION KILL"), none);
        let aborted = "EXECABORT Transaction discarded because of previous errors.";
        assert_eq!(ask(&mut queued, "EXEC"), aborted);
        let errors = sockets::text(&mut killer, &["INFO", "errorstats"]);
        assert!(errors.contains("errorstat_BUSY:"), "{errors}");
    }
}

#[test]
fn a_command_that_takes_long_does_not_keep_the_server_from_ending() {
    for (binary, io_threads, long) in servers() {
        let settings = [("busy-reply-threshold", "20"), ("io-threads", io_threads)];
        let server = Server::start_with(&binary, &settings).unwrap();
        let mut first = server.connect(Protocol::Resp2).unwrap();
        assert_eq!(ask(&mut first, "CONFIG SET requirepass secret"), OK);
        let mut sleeper = server.connect(Protocol::Resp2).unwrap();
        assert_eq!(ask(&mut sleeper, "AUTH secret"), OK);
        sleeper.send(&long).unwrap();
        until(|| ask(&mut first, "PING") == BUSY);
        let mut stranger = server.connect(Protocol::Resp2).unwrap();
        let stopping = ["SHUTDOWN", "NOSAVE"];
        assert_eq!(
            text(&stranger.command(&stopping).unwrap()),
            "NOAUTH Authentication required."
        );
        assert_eq!(ask(&mut stranger, "AUTH secret"), OK);
        stranger.send(&stopping).unwrap();
        let (status, log) = server.ended().unwrap();
        assert!(status.success(), "{log}");
    }
}

#[test]
fn function_kill_ends_what_takes_long_and_it_is_in_the_log() {
    let settings = [("busy-reply-threshold", "20")];
    let server = Server::start_with(&peers::weir().unwrap(), &settings).unwrap();
    let mut sleeper = sleep(&server, &["DEBUG", "SLEEP", "600"]);
    until(|| server.whole_log().contains("busy-reply-threshold"));
    let mut killer = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut killer, "FUNCTION KILL"), OK);
    let killed = "ERR Script killed by user with SCRIPT KILL.";
    assert_eq!(text(&sleeper.read().unwrap()), killed);
    assert_eq!(ask(&mut killer, "PING"), "PONG");
}
