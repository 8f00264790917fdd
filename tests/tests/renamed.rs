//! Commands that the configuration renames or disables, beside Redis, and data that outlives it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;
use std::path::{Path, PathBuf};

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

const RENAMES: &str = "\
rename-command CONFIG \"\"
rename-command ECHO \"\"
rename-command GET MyGet
rename-command set put-it
rename-command XGROUP xg
rename-command MULTI begin
rename-command EXEC \"run now\"
rename-command LPUSH GET
rename-command FLUSHALL wipe
rename-command WIPE wipe-all
rename-command TYPE type
";

/// Requests whose replies are those of Redis, one after the other.
const REQUESTS: &[&[&str]] = &[
    &["CONFIG", "GET", "port"],
    &["ECHO", "x"],
    &["SET", "a", "1"],
    &["put-it", "a", "1"],
    &["PUT-IT", "a", "2"],
    &["MYGET", "a"],
    &["myget"],
    &["GET", "a", "v"],
    &["get", "list", "v"],
    &["get", "list"],
    &["LPUSH", "list", "v"],
    &["TYPE", "list"],
    &["xg", "nope"],
    &["xg"],
    &["xg", "create"],
    &["xg", "help"],
    &["xg", "create", "s", "g", "$", "MKSTREAM"],
    &["XGROUP", "create", "s", "h", "$"],
    &["begin", "x"],
    &["begin"],
    &["myget", "a"],
    &["run now"],
    &["MULTI"],
    &["COMMAND", "INFO", "GET"],
    &["COMMAND", "INFO", "myget"],
    &["COMMAND", "INFO", "lpush"],
    &["COMMAND", "INFO", "config"],
    &["COMMAND", "INFO", "xgroup"],
    &["COMMAND", "INFO", "xg|create"],
    &["COMMAND", "INFO", "xgroup|create"],
    &["COMMAND", "DOCS", "config"],
    &["COMMAND", "GETKEYS", "myget", "a"],
    &["COMMAND", "GETKEYS", "set", "a", "1"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "echo"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "config*"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "put*"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "lpush"],
    &["ACL", "SETUSER", "u", "on", "nopass", "~*", "+get"],
    &["ACL", "SETUSER", "u", "+xgroup|create", "-config", "-echo"],
    &["ACL", "SETUSER", "v", "+myget"],
    &["ACL", "SETUSER", "v", "+xg|create"],
    &["ACL", "SETUSER", "v", "+put-it"],
    &["ACL", "DRYRUN", "u", "myget", "a"],
    &["ACL", "DRYRUN", "u", "get", "a", "b"],
    &["ACL", "DRYRUN", "u", "xg", "create", "a", "b", "c"],
    &["EVAL", "return redis.call('put-it', 'k', 'v')", "0"],
    &["EVAL", "return redis.call('MyGet', 'k')", "0"],
    &["EVAL", "return redis.pcall('get', 'list', 'x')", "0"],
    &[
        "EVAL",
        "return redis.pcall('set', 'k', 'v')['err'] ~= nil",
        "0",
    ],
    &["EVAL", "return redis.acl_check_cmd('myget', 'a')", "0"],
    &["flushall"],
    &["wipe"],
    &["myget", "k"],
    &["wipe-all"],
    &["myget", "k"],
];

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("renamed.conf");
    fs::write(&path, text).unwrap();
    path
}

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

#[test]
fn renamed_commands_answer_as_in_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = file(
        folder.path(),
        &format!("{RENAMES}save \"\"\nappendonly no\n"),
    );
    let weir_server = Server::start_from(&peers::weir().unwrap(), &file, &[]).unwrap();
    let redis_server = Server::start_from(&redis, &file, &[]).unwrap();
    let mut weir = weir_server.connect(Protocol::Resp2).unwrap();
    let mut redis = redis_server.connect(Protocol::Resp2).unwrap();
    for request in REQUESTS {
        // Redis runs a command by the name that it had if the client has just called it by its new
        // one, so another one comes between.
        assert_eq!(ask(&mut weir, &["DBSIZE"]), ask(&mut redis, &["DBSIZE"]));
        let (found, wanted) = (ask(&mut weir, request), ask(&mut redis, request));
        // Subcommands that are weir's own follow those of Redis.
        match request.last() {
            Some(&"help") => assert_eq!(found.split(", ").next(), wanted.split(", ").next()),
            Some(_) | None => assert_eq!(found, wanted, "{request:?}"),
        }
    }
    let docs = ask(&mut weir, &["COMMAND", "DOCS", "myget"]);
    assert!(docs.starts_with("[\"get\", "), "{docs}");
    ask(&mut weir, &["put-it", "b", "1"]);
    let refused = ask(&mut weir, &["set", "b", "2"]);
    assert!(refused.starts_with("-ERR unknown command"), "{refused}");
}

/// Answers the value of `a` and the length of `list`, by the names that commands have.
fn kept(server: &Server, get: &str) -> (String, String) {
    let mut client = server.connect(Protocol::Resp2).unwrap();
    (
        ask(&mut client, &[get, "a"]),
        ask(&mut client, &["LLEN", "list"]),
    )
}

#[test]
fn data_is_there_after_a_crash_whatever_was_renamed() {
    let binary = peers::weir().unwrap();
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = [("dir", data.path().to_str().unwrap())];
    let keeps = "appendonly yes\nappendfsync always\n";
    let renamed = file(folder.path(), &format!("{RENAMES}{keeps}"));
    let server = Server::start_from(&binary, &renamed, &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for request in [
        &["begin"][..],
        &["put-it", "a", "1"],
        &["get", "list", "v"],
        &["run now"],
    ] {
        let answer = ask(&mut client, request);
        assert!(!answer.starts_with('-'), "{request:?}: {answer}");
    }
    drop(client);
    server.kill().unwrap();

    let wanted = ("\"1\"".to_owned(), "1".to_owned());
    let server = Server::start_from(&binary, &renamed, &settings).unwrap();
    assert_eq!(kept(&server, "myget"), wanted);
    server.kill().unwrap();
    // A name that only the journal has now, and one that stands for another command.
    let others = "rename-command SET \"\"\nrename-command MULTI \"\"\nrename-command SELECT \"\"\n\
                  rename-command RPUSH \"\"\nrename-command LPUSH RPUSH\n";
    let other = file(folder.path(), &format!("{others}{keeps}"));
    let server = Server::start_from(&binary, &other, &settings).unwrap();
    assert_eq!(kept(&server, "get"), wanted);
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert!(!ask(&mut client, &["RPUSH", "list", "w"]).starts_with('-'));
    drop(client);
    server.kill().unwrap();
    let plain = file(folder.path(), keeps);
    let server = Server::start_from(&binary, &plain, &settings).unwrap();
    assert_eq!(kept(&server, "GET"), (wanted.0, "2".to_owned()));
}

#[test]
fn a_rewritten_file_keeps_what_was_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "rename-command GET myget\nRENAME-COMMAND ECHO \"\"\ntimeout 5\n";
    let file = file(folder.path(), text);
    let server = Server::start_from(&peers::weir().unwrap(), &file, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    ask(&mut client, &["CONFIG", "SET", "timeout", "6"]);
    let refused = ask(&mut client, &["CONFIG", "SET", "rename-command", "SET x"]);
    assert!(refused.starts_with("-ERR Unknown option"), "{refused}");
    assert_eq!(ask(&mut client, &["CONFIG", "REWRITE"]), "+OK");
    let rewritten = fs::read_to_string(&file).unwrap();
    let kept = text.replace("timeout 5", "timeout 6");
    assert!(rewritten.starts_with(&kept), "{rewritten}");
}
