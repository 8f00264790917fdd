//! Functions over a socket: what a kill leaves of them, what files of Redis have of them, and what
//! others see of one that takes long.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::sockets::until;

const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];
const CACHE: &[(&str, &str)] = &[("appendonly", "no")];

const LIBRARY: &str = "#!lua name=counters
local calls = 0
redis.register_function{
    function_name = 'add',
    description = 'adds to a key',
    callback = function(keys, args)
        calls = calls + 1
        return { redis.call('INCRBY', keys[1], args[1]), calls }
    end,
}
redis.register_function{
    function_name = 'look',
    callback = function(keys) return redis.call('GET', keys[1]) end,
    flags = { 'no-writes' },
}";

/// Asks, and shows the reply.
fn ask(client: &mut Client, request: &[&str]) -> String {
    client.command(request).unwrap().to_string()
}

fn connect(server: &Server) -> Client {
    server.connect(Protocol::Resp2).unwrap()
}

fn settings_of_load() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![JOURNAL.to_vec(), CACHE.to_vec()]
}

#[test]
fn libraries_survive_a_kill_a_rewrite_and_a_reload() {
    let weir = peers::weir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(&weir, data.path(), JOURNAL).unwrap();
    let mut client = connect(&server);
    ask(&mut client, &["FUNCTION", "LOAD", LIBRARY]);
    let gone = "#!lua name=gone\nredis.register_function('gone', function() end)";
    ask(&mut client, &["FUNCTION", "LOAD", gone]);
    ask(&mut client, &["FUNCTION", "DELETE", "gone"]);
    let listed = ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"]);
    assert!(
        listed.contains("adds to a key") && !listed.contains("gone"),
        "{listed}"
    );
    let first = ask(&mut client, &["FCALL", "add", "1", "k", "5"]);
    // The key is as it was, and the library begins again.
    for (round, value) in ["6", "7", "8"].into_iter().enumerate() {
        if round == 1 {
            ask(&mut client, &["BGREWRITEAOF"]);
            while ask(&mut client, &["INFO", "persistence"]).contains("aof_rewrite_in_progress:1") {
            }
        }
        server.kill().unwrap();
        server = Server::start_in(&weir, data.path(), JOURNAL).unwrap();
        client = connect(&server);
        let added = ask(&mut client, &["FCALL", "ADD", "1", "k", "1"]);
        assert_eq!(added, first.replace('5', value), "{round}");
        assert_eq!(ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"]), listed);
    }
    let info = ask(&mut client, &["INFO", "memory"]);
    assert!(info.contains("number_of_functions:2"), "{info}");
    assert!(info.contains("number_of_libraries:1"), "{info}");
    ask(&mut client, &["FLUSHALL"]);
    ask(&mut client, &["DEBUG", "RELOAD"]);
    assert_eq!(ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"]), listed);
    ask(&mut client, &["FUNCTION", "FLUSH"]);
    server.kill().unwrap();
    server = Server::start_in(&weir, data.path(), JOURNAL).unwrap();
    let mut client = connect(&server);
    let none = ask(&mut client, &["FCALL", "look", "1", "k"]);
    assert!(none.contains("ERR Function not found"), "{none}");
    server.stop().unwrap();
}

#[test]
fn files_and_dumps_with_libraries_are_exchanged_with_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let weir = peers::weir().unwrap();
    for settings in settings_of_load() {
        for (from, to) in [(&redis, &weir), (&weir, &redis)] {
            let data = tempfile::tempdir().unwrap();
            let server = Server::start_in(from, data.path(), &settings).unwrap();
            let mut client = connect(&server);
            let old = "#!lua name=counters\nredis.register_function('old', function() end)";
            for code in [old, LIBRARY] {
                ask(&mut client, &["FUNCTION", "LOAD", "REPLACE", code]);
            }
            let listed = ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"]);
            let dumped = client.command(&["FUNCTION", "DUMP"]).unwrap();
            let dumped = dumped.as_bytes().unwrap().to_vec();
            if settings == CACHE {
                ask(&mut client, &["SAVE"]);
            }
            server.stop().unwrap();

            let server = Server::start_in(to, data.path(), &settings).unwrap();
            let mut client = connect(&server);
            assert_eq!(
                sorted(&ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"])),
                sorted(&listed)
            );
            ask(&mut client, &["FCALL", "add", "1", "k", "5"]);
            let looked = ask(&mut client, &["FCALL_RO", "look", "1", "k"]);
            assert!(looked.contains('5'), "{looked}");
            let payload: &[u8] = &dumped;
            let restore: [&[u8]; 4] = [b"FUNCTION", b"RESTORE", payload, b"FLUSH"];
            assert_eq!(client.command(&restore).unwrap().to_string(), "+OK");
            assert_eq!(
                sorted(&ask(&mut client, &["FUNCTION", "LIST", "WITHCODE"])),
                sorted(&listed)
            );
            server.stop().unwrap();
        }
    }
}

/// Redis lists functions in no order.
fn sorted(listed: &str) -> Vec<char> {
    let mut letters: Vec<char> = listed.chars().collect();
    letters.sort_unstable();
    letters
}

#[test]
fn a_function_that_takes_long_is_told_of_and_ended_as_in_redis() {
    let weir = peers::weir().unwrap();
    let redis = Peers::binary("redis86-server").unwrap();
    for binary in std::iter::once(weir).chain(redis) {
        let settings = [("busy-reply-threshold", "20")];
        let server = Server::start_with(&binary, &settings).unwrap();
        let mut client = connect(&server);
        let code = "#!lua name=slow\n\
            redis.register_function('Slow', function() while true do pcall(error) end end)\n\
            redis.register_function('Writes', function(keys)\n\
            redis.call('SET', keys[1], 1) while redis.call('EXISTS', 'stop') == 0 do end end)";
        ask(&mut client, &["FUNCTION", "LOAD", code]);
        let busy = |kill: &str| {
            format!(
                "BUSY Redis is busy running a script. You can only call {kill} or SHUTDOWN NOSAVE."
            )
        };
        let mut other = connect(&server);
        let until = |other: &mut Client, kill: &str| {
            until(|| ask(other, &["PING"]).contains(&busy(kill)));
        };
        client.send(&["FCALL", "slow", "1", "k", "a"]).unwrap();
        until(&mut other, "FUNCTION KILL");
        let refused = ask(&mut other, &["SCRIPT", "KILL"]);
        assert!(refused.contains(&busy("FUNCTION KILL")), "{refused}");
        let refused = ask(&mut other, &["FUNCTION", "LIST"]);
        assert!(refused.contains(&busy("FUNCTION KILL")), "{refused}");
        let stats = ask(&mut other, &["FUNCTION", "STATS"]);
        for told in [
            "running_script",
            "Slow",
            "slow",
            "duration_ms",
            "functions_count",
        ] {
            assert!(stats.contains(told), "{stats}");
        }
        assert_eq!(ask(&mut other, &["FUNCTION", "KILL"]), "+OK");
        let killed = client.read().unwrap().to_string();
        let told =
            "ERR Script killed by user with SCRIPT KILL... script: Slow, on @user_function:2.";
        assert!(killed.contains(told), "{killed}");
        let stats = ask(&mut other, &["FUNCTION", "STATS"]);
        assert!(!stats.contains("Slow"), "{stats}");

        client.send(&["EVAL", "while true do end", "0"]).unwrap();
        until(&mut other, "SCRIPT KILL");
        for request in [["FUNCTION", "KILL"], ["FUNCTION", "STATS"]] {
            let refused = ask(&mut other, &request);
            assert!(refused.contains(&busy("SCRIPT KILL")), "{refused}");
        }
        assert_eq!(ask(&mut other, &["SCRIPT", "KILL"]), "+OK");
        client.read().unwrap();

        client.send(&["FCALL", "writes", "1", "k"]).unwrap();
        until(&mut other, "FUNCTION KILL");
        let refused = ask(&mut other, &["FUNCTION", "KILL"]);
        assert!(refused.contains("UNKILLABLE"), "{refused}");
        // Nobody can end it but with the server.
        other.send(&["SHUTDOWN", "NOSAVE"]).unwrap();
        server.ended().unwrap();
    }
}

#[test]
fn what_a_library_registers_is_bounded() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = connect(&server);
    let many = |count: usize, name_bytes: usize| {
        format!(
            "#!lua name=many\nlocal i = 0 while i < {count} do i = i + 1 \
             redis.register_function(('f'):rep({name_bytes}) .. i, function() return 1 end) end"
        )
    };
    let too_many = "ERR Error registering functions: ERR the library registers too many functions";
    let mut load = |code: &str| ask(&mut client, &["FUNCTION", "LOAD", "REPLACE", code]);
    assert!(load(&many(8192, 1)).contains("many"));
    assert!(load(&many(8193, 1)).contains(too_many));
    assert!(load(&many(1, (1 << 20) - 1)).contains("many"));
    assert!(load(&many(1, 1 << 20)).contains(too_many));
    let flags = |count: usize| {
        format!(
            "#!lua name=many\nlocal flags, i = {{}}, 0 while i < {count} do i = i + 1 \
             flags[i] = 'no-writes' end\nredis.register_function{{function_name='f', \
             callback=function() end, flags=flags}}"
        )
    };
    assert!(load(&flags(63)).contains("many"));
    assert!(load(&flags(65)).contains("too many flags given"));
    let endless = load("#!lua name=many\nwhile true do end");
    assert!(endless.contains("ERR FUNCTION LOAD timeout"), "{endless}");
    assert_eq!(ask(&mut client, &["PING"]), "+PONG");
    server.stop().unwrap();
}

#[test]
fn as_many_scripts_are_kept_as_were_loaded() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut client = connect(&server);
    let text = |number: usize| format!("return {number}");
    for number in 0..20_000 {
        client.send(&["SCRIPT", "LOAD", &text(number)]).unwrap();
        let loaded = client.read().unwrap();
        assert_eq!(loaded.as_bytes().map(<[u8]>::len), Some(40), "{loaded}");
    }
    for number in [0, 8000, 19_999] {
        let answered = ask(&mut client, &["EVAL", &text(number), "0"]);
        assert_eq!(answered, number.to_string());
    }
    server.stop().unwrap();
}
