//! Scripts that take long or much: how they end, what they leave, and what they may take.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::sockets::{figure, server, text, until};
use weir_tests::value::Value;

const BUSY: &str =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const UNKILLABLE: &str = "UNKILLABLE Sorry the script already executed write commands against the \
                          dataset. You can either wait the script termination or kill the server \
                          in a hard way using the SHUTDOWN NOSAVE command.";

/// It writes a key, never ends, and would write another one then.
const WRITES_FOR_EVER: &str =
    "redis.call('SET', 'first', 1) while true do end redis.call('SET', 'second', 1)";

fn connect(server: &Server) -> Client {
    server.connect(Protocol::Resp2).unwrap()
}

fn ask(client: &mut Client, words: &[&str]) -> String {
    match client.command(words).unwrap() {
        Value::Simple(text) | Value::Error(text) | Value::Bulk(text) => {
            String::from_utf8(text).unwrap()
        }
        other => other.to_string(),
    }
}

/// Lets a client send a script, and waits until others are told of it.
fn run(server: &Server, script: &str) -> Client {
    let mut client = connect(server);
    client.send(&["EVAL", script, "0"]).unwrap();
    let mut other = connect(server);
    until(|| ask(&mut other, &["PING"]) == BUSY);
    client
}

#[test]
fn a_script_that_has_written_is_ended_only_with_the_server_and_leaves_nothing() {
    let weir = peers::weir().unwrap();
    let binaries = [Some(weir), Peers::binary("redis86-server").unwrap()];
    for binary in binaries.into_iter().flatten() {
        let settings = [
            ("busy-reply-threshold", "20"),
            ("appendonly", "yes"),
            ("appendfsync", "always"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_in(&binary, folder.path(), &settings).unwrap();
        let _script = run(&server, WRITES_FOR_EVER);
        let mut other = connect(&server);
        for kill in [["SCRIPT", "KILL"], ["FUNCTION", "KILL"]] {
            assert_eq!(ask(&mut other, &kill), UNKILLABLE);
        }
        assert_eq!(ask(&mut other, &["PING"]), BUSY);
        other.send(&["SHUTDOWN", "NOSAVE"]).unwrap();
        let (status, log) = server.ended().unwrap();
        assert!(status.success(), "{log}");
        let server = Server::start_in(&binary, folder.path(), &settings).unwrap();
        assert_eq!(ask(&mut connect(&server), &["DBSIZE"]), "0");
    }
}

#[test]
fn half_a_script_is_in_no_snapshot() {
    let settings = [
        ("busy-reply-threshold", "20"),
        ("appendonly", "no"),
        ("save", "3600 1"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let weir = peers::weir().unwrap();
    let server = Server::start_in(&weir, folder.path(), &settings).unwrap();
    assert_eq!(ask(&mut connect(&server), &["SET", "before", "1"]), "OK");
    let _script = run(&server, WRITES_FOR_EVER);
    let process = Pid::from_raw(server.process_id().try_into().unwrap());
    kill(process, Signal::SIGTERM).unwrap();
    until(|| {
        server
            .whole_log()
            .contains("a script that has written is not finished")
    });
    // It goes on, and waits for the script or for somebody to end it all.
    let mut other = connect(&server);
    assert_eq!(ask(&mut other, &["PING"]), BUSY);
    other.send(&["SHUTDOWN", "NOSAVE"]).unwrap();
    let (status, log) = server.ended().unwrap();
    assert!(status.success(), "{log}");
    let server = Server::start_in(&weir, folder.path(), &settings).unwrap();
    assert_eq!(ask(&mut connect(&server), &["DBSIZE"]), "0");
}

#[test]
fn a_script_that_has_not_written_can_be_ended_although_it_catches_errors() {
    let server = server(&[("busy-reply-threshold", "20")]);
    let script = "while true do pcall(function() while true do end end) end";
    let mut client = run(&server, script);
    let mut other = connect(&server);
    assert_eq!(ask(&mut other, &["SCRIPT", "KILL"]), "OK");
    let Value::Error(killed) = client.read().unwrap() else {
        panic!("a script that was killed has a reply");
    };
    let killed = String::from_utf8(killed).unwrap();
    assert!(killed.contains("Script killed by user"), "{killed}");
    assert_eq!(ask(&mut other, &["PING"]), "PONG");
    assert_eq!(ask(&mut client, &["PING"]), "PONG");
}

/// Instructions for some slices.
const SOME_SLICES: u64 = 3_000_000;

#[test]
fn a_script_goes_on_when_its_client_has_gone() {
    let server = server(&[("busy-reply-threshold", "1")]);
    let mut other = connect(&server);
    let wait = format!("for i = 1, {SOME_SLICES} do end ");
    let script = format!("redis.call('SET', 'a', 1) {wait} redis.call('SET', 'b', 1)");
    let mut client = connect(&server);
    client.send(&["EVAL", &script, "0"]).unwrap();
    // It is the only other client, and its connection ends while its script runs.
    drop(client);
    until(|| ask(&mut other, &["EXISTS", "a", "b"]) == "2");
    // One that never ends has nobody to answer, and is ended all the same.
    let client = run(&server, "while true do end");
    drop(client);
    assert_eq!(ask(&mut other, &["PING"]), BUSY);
    assert_eq!(ask(&mut other, &["SCRIPT", "KILL"]), "OK");
    until(|| ask(&mut other, &["PING"]) == "PONG");
    until(|| figure(&mut other, "connected_clients") == 1);
}

#[test]
fn a_client_is_cut_off_when_its_script_has_ended() {
    // Others wait, instead of being told.
    let server = server(&[("busy-reply-threshold", "0")]);
    let (mut client, mut other) = (connect(&server), connect(&server));
    let id = ask(&mut client, &["CLIENT", "ID"]);
    let user = ["ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all"];
    assert_eq!(ask(&mut other, &user), "OK");
    let wait = format!("for i = 1, {SOME_SLICES} do end ");
    let increment = format!("{wait} redis.call('INCR', 'done')");
    let script = format!("redis.log(redis.LOG_WARNING, ARGV[1]) {increment} {increment}");
    client.send(&["EVAL", &script, "0", "the first"]).unwrap();
    until(|| server.whole_log().contains("the first"));
    assert_eq!(ask(&mut other, &["CLIENT", "KILL", "ID", &id]), "1");
    assert_eq!(ask(&mut other, &["GET", "done"]), "2");
    // The same with a user who is removed meanwhile.
    let mut client = connect(&server);
    assert_eq!(ask(&mut client, &["AUTH", "u", "x"]), "OK");
    client.send(&["EVAL", &script, "0", "the second"]).unwrap();
    until(|| server.whole_log().contains("the second"));
    assert_eq!(ask(&mut other, &["ACL", "DELUSER", "u"]), "1");
    assert_eq!(ask(&mut other, &["GET", "done"]), "4");
    until(|| figure(&mut other, "connected_clients") == 1);
}

#[test]
fn a_script_that_takes_too_much_memory_fails_and_gives_it_back() {
    let server = server(&[]);
    let mut client = connect(&server);
    for script in [
        "local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1e6) .. i end",
        "local t = 'x' while true do t = t .. t end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        // What it catches does not let it go beyond.
        "local t = {} while pcall(function() t[#t + 1] = string.rep('x', 1e6) .. #t end) do end \
         error('not enough memory')",
    ] {
        let failed = ask(&mut client, &["EVAL", script, "0"]);
        assert!(failed.contains("not enough memory"), "{script}: {failed}");
        assert_eq!(ask(&mut client, &["EVAL", "return 'fine'", "0"]), "fine");
    }
    until(|| figure(&mut client, "used_memory_vm_total") < 8 << 20);
}

/// A script that is unlike all others.
fn numbered(number: usize) -> String {
    format!("return {number}")
}

#[test]
fn as_many_scripts_are_kept_as_may_be_and_those_that_were_loaded() {
    let server = server(&[]);
    let mut client = connect(&server);
    let loaded = ask(&mut client, &["SCRIPT", "LOAD", "return 'loaded'"]);
    for number in 0..500 {
        ask(&mut client, &["EVAL", &numbered(number), "0"]);
    }
    assert_eq!(figure(&mut client, "evicted_scripts"), 0);
    assert_eq!(figure(&mut client, "number_of_cached_scripts"), 501);
    // The first was used again, so the second is the oldest one.
    ask(&mut client, &["EVAL", &numbered(0), "0"]);
    ask(&mut client, &["EVAL", &numbered(500), "0"]);
    assert_eq!(figure(&mut client, "evicted_scripts"), 1);
    assert_eq!(figure(&mut client, "number_of_cached_scripts"), 501);
    let names = [0, 1, 2].map(|number| {
        let script = format!("return redis.sha1hex('{}')", numbered(number));
        ask(&mut client, &["EVAL_RO", &script, "0"])
    });
    // Those three were scripts, too, which have taken the places of three others.
    let [first, second, third] = names.each_ref().map(String::as_str);
    let known = ["SCRIPT", "EXISTS", first, second, third, &loaded];
    assert_eq!(ask(&mut client, &known), "[1, 0, 0, 1]");
}

#[test]
fn the_texts_of_scripts_are_bounded() {
    let server = server(&[]);
    let mut client = connect(&server);
    let long = |number: usize| format!("return {number} --{}", "x".repeat(1 << 20));
    for number in 0..20 {
        let reply = ask(&mut client, &["EVAL", &long(number), "0"]);
        assert_eq!(reply, number.to_string());
    }
    // Eight megabytes of those that came with EVAL, without what is beside the texts.
    assert_eq!(figure(&mut client, "number_of_cached_scripts"), 7);
    // One that is longer than all may be is the only one.
    let longest = format!("return 'longest' --{}", "x".repeat(9 << 20));
    assert_eq!(ask(&mut client, &["EVAL", &longest, "0"]), "longest");
    assert_eq!(figure(&mut client, "number_of_cached_scripts"), 1);
    // Those that are loaded stay, and are refused in the end.
    let mut loaded = 0;
    let refused = loop {
        let reply = ask(&mut client, &["SCRIPT", "LOAD", &long(loaded)]);
        if reply.len() != 40 {
            break reply;
        }
        loaded += 1;
    };
    assert_eq!(loaded, 63);
    assert!(refused.starts_with("ERR "), "{refused}");
    assert_eq!(ask(&mut client, &["EVAL", "return 'fine'", "0"]), "fine");
}

#[test]
fn scripts_leave_memory_for_those_that_run() {
    let server = server(&[]);
    let mut client = connect(&server);
    // Short to write, and long in memory.
    let hungry = |number: usize| format!("local n = {number} {}", "f{}".repeat(600_000));
    let replies: Vec<String> = (0..20)
        .map(|number| ask(&mut client, &["SCRIPT", "LOAD", &hungry(number)]))
        .collect();
    let last = replies.last().unwrap();
    assert!(last.contains("too much memory is taken"), "{last}");
    let script = "return #string.rep('x', 1e7)";
    assert_eq!(ask(&mut client, &["EVAL", script, "0"]), "10000000");
    assert_eq!(ask(&mut client, &["SCRIPT", "FLUSH"]), "OK");
    let reply = ask(&mut client, &["SCRIPT", "LOAD", &hungry(21)]);
    assert_eq!(reply.len(), 40, "{reply}");
    assert!(!text(&mut client, &["INFO", "memory"]).is_empty());
}
