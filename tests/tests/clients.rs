//! Real clients do real stream work on weir: redis-py, node-redis, ioredis, redis-cli,
//! redis-benchmark, and those that Debian packages for PHP, Ruby, Perl, Erlang and C.

use std::process::Command;

use weir_tests::client::Protocol;
use weir_tests::peers::{self, Peers};
use weir_tests::programs::{hiredis, node, packaged, python, run, run_with_input};
use weir_tests::server::Server;
use weir_tests::value::Value;

/// A server, and its port.
fn weir() -> anyhow::Result<(Server, String)> {
    let server = Server::start(&peers::weir()?)?;
    let port = server.address().port().to_string();
    Ok((server, port))
}

#[test]
fn redis_py_works() {
    let (_server, port) = weir().unwrap();
    python("redis_py.py", &[&port, "beyond"])
        .unwrap()
        .said()
        .unwrap();
}

#[test]
fn what_redis_py_caches_is_dropped_when_another_changes_it() {
    let (_server, port) = weir().unwrap();
    python("redis_py_cache.py", &[&port])
        .unwrap()
        .said()
        .unwrap();
}

#[test]
fn node_redis_works() {
    let (_server, port) = weir().unwrap();
    node("node_redis.js", &[&port, "beyond"])
        .unwrap()
        .said()
        .unwrap();
}

#[test]
fn ioredis_works() {
    let (_server, port) = weir().unwrap();
    node("ioredis.js", &[&port, "beyond"])
        .unwrap()
        .said()
        .unwrap();
}

/// Runs a script with what Debian packages for a language.
fn in_another_language(
    interpreter: &str,
    probe: &[&str],
    script: &str,
) -> anyhow::Result<Option<String>> {
    let (_server, port) = weir()?;
    packaged(interpreter, probe, script, &[&port])?.said()
}

#[test]
fn php_works() {
    let probe = ["php", "-r", "exit(class_exists('Redis') ? 0 : 1);"];
    in_another_language("php", &probe, "redis.php").unwrap();
}

#[test]
fn ruby_works() {
    let probe = ["ruby", "-e", "require 'redis'"];
    in_another_language("ruby", &probe, "redis.rb").unwrap();
}

#[test]
fn perl_works() {
    in_another_language("perl", &["perl", "-MRedis", "-e", "1"], "redis.pl").unwrap();
}

#[test]
fn erlang_works() {
    let found = "halt(case code:which(eredis) of non_existing -> 1; _ -> 0 end).";
    let probe = ["erl", "-noshell", "-eval", found];
    in_another_language("escript", &probe, "eredis.escript").unwrap();
}

#[test]
fn hiredis_works() {
    let (_server, port) = weir().unwrap();
    hiredis("hiredis.c", &[&port]).unwrap().said().unwrap();
}

#[test]
fn redis_cli_works() {
    let Some(cli) = Peers::binary("redis86-cli").unwrap() else {
        return;
    };
    let (_server, port) = weir().unwrap();
    let cli = |arguments: &[&str]| {
        run(Command::new(&cli).args(["-p", &port]).args(arguments))
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(cli(&["PING"]), "PONG");
    let first = cli(&["XADD", "s", "IDMP", "p", "i1", "*", "f", "v"]);
    assert_eq!(cli(&["XADD", "s", "IDMP", "p", "i1", "*", "f", "v"]), first);
    assert_eq!(cli(&["XGROUP", "CREATE", "s", "g", "0"]), "OK");
    let read = cli(&[
        "-3",
        "--json",
        "XREADGROUP",
        "GROUP",
        "g",
        "c",
        "STREAMS",
        "s",
        ">",
    ]);
    assert_eq!(read, format!(r#"{{"s":[["{first}",["f","v"]]]}}"#));
    assert_eq!(
        cli(&[
            "XREADGROUP",
            "GROUP",
            "g",
            "c",
            "BLOCK",
            "5",
            "STREAMS",
            "s",
            ">"
        ]),
        ""
    );
    assert_eq!(cli(&["XACK", "s", "g", &first]), "1");
    assert_eq!(cli(&["--scan", "--pattern", "s*"]), "s");
    assert!(cli(&["INFO", "server"]).contains("redis_version:"));
    assert!(cli(&["NOPE"]).starts_with("ERR unknown command"));
}

#[test]
fn redis_cli_loads_many_commands_at_once() {
    let Some(cli) = Peers::binary("redis86-cli").unwrap() else {
        return;
    };
    let (server, port) = weir().unwrap();
    let input: String = (1..=20_000)
        .map(|n| format!("XADD s {n}-1 field value\r\n"))
        .collect();
    let mut command = Command::new(&cli);
    command.args(["-p", &port, "--pipe"]);
    let said = run_with_input(&mut command, input.as_bytes()).unwrap();
    assert!(said.contains("errors: 0, replies: 20000"), "{said}");
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(client.command(&["XLEN", "s"]).unwrap(), Value::Int(20_000));
}

#[test]
fn redis_benchmark_works() {
    let Some(benchmark) = Peers::binary("redis86-benchmark").unwrap() else {
        return;
    };
    let (_server, port) = weir().unwrap();
    let runs: [&[&str]; 3] = [
        &["-t", "ping,set,get,incr,mset", "-P", "4"],
        &[
            "-P",
            "16",
            "-r",
            "100",
            "XADD",
            "s:__rand_int__",
            "MAXLEN",
            "~",
            "1000",
            "*",
            "f",
            "v",
        ],
        &[
            "-3",
            "-P",
            "16",
            "XRANGE",
            "s:000000000001",
            "-",
            "+",
            "COUNT",
            "10",
        ],
    ];
    for arguments in runs {
        let mut command = Command::new(&benchmark);
        command
            .args(["-p", &port, "-n", "5000", "-c", "20", "--csv"])
            .args(arguments);
        let said = run(&mut command).unwrap();
        assert!(
            said.lines().count() > 1 && !said.to_lowercase().contains("error"),
            "{said}"
        );
    }
}
