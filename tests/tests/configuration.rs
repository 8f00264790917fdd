//! Settings and how a server is started: files of Redis, every setting beside Redis, signals, the
//! log's file, protected mode, CONFIG REWRITE.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use weir_tests::client::{Client, Protocol};
use weir_tests::left_out;
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

fn weir(arguments: &[&str]) -> Output {
    Command::new(peers::weir().unwrap())
        .args(arguments)
        .env("WEIR_REQUIREPASS", "")
        .output()
        .unwrap()
}

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

/// Every setting that a server reports, by name.
fn settings(client: &mut Client) -> BTreeMap<String, String> {
    let Value::Array(pairs) = client.command(&["CONFIG", "GET", "*"]).unwrap() else {
        panic!("CONFIG GET answers an array");
    };
    let text = |value: &Value| match value {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{other}"),
    };
    pairs
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[name, value]| (text(name), text(value)))
        .collect()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The configuration file of the Redis packages, where the peers are.
fn stock_file() -> Option<PathBuf> {
    let Peers::Folder(folder) = Peers::find().unwrap() else {
        return None;
    };
    let above = folder.parent()?;
    let file = above.join("redis/etc/redis/redis.conf");
    file.is_file().then_some(file)
}

#[test]
fn the_stock_file_of_redis_starts_weir_and_each_line_without_effect_is_told() {
    let Some(file) = stock_file() else {
        left_out::note("WEIR_REQUIRE_PEERS", "no stock file of Redis").unwrap();
        return;
    };
    let checked = weir(&["check-config", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{checked:?}");
    assert!(told.contains("daemonize yes has no effect"), "{told}");

    let data = tempfile::tempdir().unwrap();
    let server = Server::start_from(
        &peers::weir().unwrap(),
        &file,
        &[
            ("dir", data.path().to_str().unwrap()),
            ("logfile", ""),
            ("pidfile", ""),
        ],
    )
    .unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let log = server.whole_log();
    for line in told.lines().filter(|line| line.contains("has no effect")) {
        assert!(log.contains(line), "{line} in {log}");
    }
    // The file says appendonly no and does not mention save: the save points are those of Redis.
    let found = settings(&mut client);
    assert_eq!(found["appendonly"], "no");
    assert_eq!(found["save"], "3600 1 300 100 60 10000");
    let info = ask(&mut client, &["INFO", "server"]);
    assert!(info.contains(file.to_str().unwrap()), "{info}");
}

/// Settings whose defaults differ, because weir is durable by default, needs less, or bounds more.
const OTHER_DEFAULTS: &[&str] = &[
    "appendfsync",
    "appendonly",
    "bind",
    "dir",
    "io-threads",
    "port",
    "save",
];

/// Settings that take other values than in Redis, and why.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("cluster-announce-ip", "no effect, not looked at"),
    ("bind", "addresses are looked up at the start"),
    ("databases", "at most 1024"),
    ("dbfilename", "said at the start"),
    ("io-threads", "0 is one a core"),
    (
        "latency-tracking-info-percentiles",
        "no effect, not looked at",
    ),
    ("locale-collate", "no effect, not looked at"),
    ("maxclients", "at most a million"),
    ("oom-score-adj-values", "no effect, not looked at"),
    ("replicaof", "refused as missing"),
    ("slaveof", "refused as missing"),
    ("stream-node-max-bytes", "at most 4 GiB"),
    ("stream-node-max-entries", "at most four thousand million"),
    ("tcp-backlog", "at least 1"),
];

#[test]
fn every_setting_of_redis_is_known_with_its_default_and_its_errors() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let redis = Server::start(&redis).unwrap();
    let ours = Server::start(&peers::weir().unwrap()).unwrap();
    let mut of_redis = redis.connect(Protocol::Resp2).unwrap();
    let mut of_weir = ours.connect(Protocol::Resp2).unwrap();
    let found = settings(&mut of_weir);
    let mut faults = Vec::new();
    for (name, default) in settings(&mut of_redis) {
        let Some(value) = found.get(&name) else {
            faults.push(format!("{name} is not known"));
            continue;
        };
        if *value != default && !OTHER_DEFAULTS.contains(&name.as_str()) {
            faults.push(format!("{name} is {value}, and {default} in Redis"));
        }
        if OTHER_VALUES.iter().any(|(other, _)| *other == name) {
            continue;
        }
        for wrong in ["-99999999999", "!no value!"] {
            let request = ["CONFIG", "SET", &name, wrong];
            let expected = ask(&mut of_redis, &request);
            if !expected.contains("must be") && !expected.contains("parsed") {
                // It is a value there, or is refused for the running server.
                ask(&mut of_redis, &["CONFIG", "SET", &name, &default]);
                continue;
            }
            let answer = ask(&mut of_weir, &request);
            if answer != expected && !answer.contains("immutable") {
                faults.push(format!("{name} {wrong}: {answer}, and {expected} in Redis"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_file_with_every_setting_of_redis_at_its_default_starts_weir() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let redis = Server::start(&redis).unwrap();
    let mut client = redis.connect(Protocol::Resp2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis.conf");
    let all = settings(&mut client)
        .into_iter()
        .map(|(name, value)| format!("{name} \"{value}\"\n").replace("\"normal", "normal"))
        .map(|line| match line.starts_with("client-output") {
            true => line.replace('"', ""),
            false => line,
        });
    fs::write(&file, all.collect::<String>()).unwrap();
    let checked = weir(&["check-config", file.to_str().unwrap()]);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn all_that_keeps_weir_from_starting_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.conf");
    fs::write(&file, "port x\ncluster-enabled yes\nloadmodule a.so\n").unwrap();
    let ended = weir(&[file.to_str().unwrap(), "--frob", "1"]);
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success());
    for part in ["port x", "cluster-enabled yes", "no modules", "'frob'"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_data_folder_that_does_not_exist_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let ended = weir(&["--port", "0", "--dir", gone.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success());
    assert!(told.contains(gone.to_str().unwrap()), "{told}");
    assert!(!gone.exists());
}

#[test]
fn what_config_set_changed_is_there_after_a_rewrite_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.conf");
    fs::write(&file, "# mine\ntimeout 5\n").unwrap();
    let binary = peers::weir().unwrap();
    let server = Server::start_from(&binary, &file, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(
        &mut client,
        &["CONFIG", "SET", "timeout", "7", "slowlog-max-len", "9"],
    );
    ask(&mut client, &["MULTI"]);
    ask(&mut client, &["CONFIG", "REWRITE"]);
    let in_transaction = ask(&mut client, &["EXEC"]);
    assert!(in_transaction.contains("not allowed inside a transaction"));
    assert_eq!(ask(&mut client, &["CONFIG", "REWRITE"]), "+OK");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# mine\ntimeout 7\n"), "{text}");
    drop(client);
    server.stop().unwrap();
    let server = Server::start_from(&binary, &file, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let found = settings(&mut client);
    assert_eq!((&*found["timeout"], &*found["slowlog-max-len"]), ("7", "9"));
}

#[test]
fn signals_open_the_log_again_or_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let (log, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let pid_file = folder.path().join("weir.pid");
    let server = Server::start_with(
        &peers::weir().unwrap(),
        &[
            ("logfile", log.to_str().unwrap()),
            ("pidfile", pid_file.to_str().unwrap()),
        ],
    )
    .unwrap();
    let process = Pid::from_raw(i32::try_from(server.process_id()).unwrap());
    let written = fs::read_to_string(&pid_file).unwrap();
    assert_eq!(written.trim(), process.to_string());
    fs::rename(&log, &moved).unwrap();
    for signal in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGHUP] {
        kill(process, signal).unwrap();
    }
    until("the log's file is opened again", || log.exists());
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut client, &["PING"]), "+PONG");
    drop(client);
    server.stop().unwrap();
    assert!(!pid_file.exists());
    let whole = |path: &Path| fs::read_to_string(path).unwrap();
    assert!(whole(&moved).contains("weir is ready"));
    assert!(whole(&log).contains("stopped"));
}

#[test]
fn a_server_that_keeps_nothing_says_so() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    assert!(server.whole_log().contains("NOTHING IS KEPT"));
    let server = Server::start_with(&peers::weir().unwrap(), &[("save", "60 1")]).unwrap();
    assert!(!server.whole_log().contains("NOTHING IS KEPT"));
}

#[test]
fn a_password_on_the_command_line_is_warned_of_and_one_of_a_file_is_not() {
    let server = Server::start_with(&peers::weir().unwrap(), &[("requirepass", "secret")]).unwrap();
    assert!(server.whole_log().contains("can read requirepass"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.conf");
    fs::write(&file, "requirepass secret\n").unwrap();
    let checked = weir(&["check-config", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("requirepass (not shown)") && !told.contains("secret"));
}

#[test]
fn after_a_failed_snapshot_writes_wait_for_one_that_succeeds() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(
        &peers::weir().unwrap(),
        data.path(),
        &[("save", "3600 1"), ("dbfilename", "dump.rdb")],
    )
    .unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    // A folder in the place of the file: nothing can be written there.
    fs::create_dir(data.path().join("dump.rdb")).unwrap();
    ask(&mut client, &["SET", "k", "1"]);
    ask(&mut client, &["BGSAVE"]);
    until("writes are refused", || {
        ask(&mut client, &["SET", "k", "2"]).starts_with("-MISCONF Snapshots")
    });
    assert!(!ask(&mut client, &["GET", "k"]).starts_with('-'));
    fs::remove_dir(data.path().join("dump.rdb")).unwrap();
    ask(&mut client, &["BGSAVE"]);
    until("writes are accepted", || {
        ask(&mut client, &["SET", "k", "3"]) == "+OK"
    });
    fs::remove_file(data.path().join("dump.rdb")).ok();
    ask(&mut client, &["CONFIG", "SET", "save", ""]);
}

/// A server in a network of its own, whose one address beside the loopback counts as another
/// machine's.
#[test]
fn without_a_password_only_this_machine_is_served() {
    let binary = peers::weir().unwrap();
    let script = format!(
        "ip addr add 192.0.2.1/32 dev lo && ip link set lo up || exit 77
         {} --port 7000 --bind '*' --save '' --appendonly no --loglevel nothing &
         for try in $(seq 200); do
             (exec 3<>/dev/tcp/127.0.0.1/7000) 2>/dev/null && break; sleep 0.05
         done
         ask() {{ exec 3<>/dev/tcp/$1/7000; printf \"$2\" >&3; head -n $3 <&3; exec 3>&-; }}
         ask 127.0.0.1 'PING\\r\\n' 1
         ask 192.0.2.1 'PING\\r\\n' 1
         ask 127.0.0.1 'CONFIG SET requirepass x\\r\\n' 1
         ask 192.0.2.1 'AUTH x\\r\\nPING\\r\\n' 2
         kill $!; wait",
        binary.display()
    );
    let output = Command::new("unshare")
        .args(["--net", "bash", "-c", &script])
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(77) && !output.stdout.is_empty() => output,
        _ => {
            let why = "a network of its own takes root and iproute2";
            left_out::note("WEIR_REQUIRE_NETWORKS", why).unwrap();
            return;
        }
    };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "+PONG", "{told}");
    assert!(lines[1].starts_with("-DENIED weir is in protected mode"));
    assert_eq!(lines[2..], ["+OK", "+OK", "+PONG"], "{told}");
}

#[test]
fn failed_logins_are_in_the_log() {
    let server = Server::start_with(&peers::weir().unwrap(), &[("requirepass", "secret")]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert!(ask(&mut client, &["AUTH", "wrong"]).starts_with("-WRONGPASS"));
    until("the log tells of it", || {
        server
            .whole_log()
            .contains("logins failed: a wrong password")
    });
}

/// What the image gives to a setting.
fn of_the_image(setting: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/Dockerfile");
    let text = fs::read_to_string(file).unwrap();
    let entry = text
        .lines()
        .find_map(|line| line.strip_prefix("ENTRYPOINT "));
    let words: Vec<String> = serde_json::from_str(entry.unwrap()).unwrap();
    let given = words.iter().skip_while(|word| *word != setting).skip(1);
    let values = given.take_while(|word| !word.starts_with("--"));
    values.map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_image_serves_on_ipv6_too_where_there_is_ipv6() {
    let bind = of_the_image("--bind");
    let server = Server::start_with(&peers::weir().unwrap(), &[("bind", &bind)]).unwrap();
    let port = server.address().port();
    assert!(server.connect(Protocol::Resp2).is_ok());
    let there_is_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let at = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    assert_eq!(Client::connect(at, Protocol::Resp2).is_ok(), there_is_ipv6);
}
