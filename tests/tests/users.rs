//! Users over sockets: rules as Redis has them, files of users, and clients that are cut off.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;

use weir_tests::client::{Client, Protocol};
use weir_tests::differential::random::Random;
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::value::Value;

fn ask(client: &mut Client, words: &[&str]) -> String {
    client.command(words).unwrap().to_string()
}

/// A rule, most of them valid. What the page of compatibility names is not among them.
fn rule(random: &mut Random, depth: usize) -> String {
    const COMMANDS: &[&str] = &[
        "get",
        "SET",
        "config",
        "config|get",
        "config|set",
        "CONFIG|Set",
        "xadd",
        "xgroup",
        "xgroup|create",
        "client|kill",
        "client",
        "select|0",
        "select|1",
        "select",
        "get|x",
        "acl|whoami",
        "acl",
        "nope",
        "config|nope",
        "get|",
        "config|get|x",
        "@read",
        "@WRITE",
        "@dangerous",
        "@fast",
        "@slow",
        "@stream",
        "@all",
        "@nope",
        "@connection",
        "@string",
        "cluster",
        "cluster|info",
        "replicaof",
        "object|encoding",
        "",
        "@",
    ];
    const KEYS: &[&str] = &["a*", "b", "", "[xy]*", "a b", "k?", "\\*"];
    const WORDS: &[&str] = &[
        "allkeys",
        "resetkeys",
        "allchannels",
        "resetchannels",
        "AllCommands",
        "nocommands",
        "foo",
        "",
        "~*",
        "&*",
        "%",
        "%~a",
        "%RR~a",
        "%X~a",
        "%R",
        "%w",
        "+",
        "-",
    ];
    const OF_USERS: &[&str] = &[
        "on",
        "OFF",
        "nopass",
        "resetpass",
        ">a",
        ">b",
        "<a",
        "#abc",
        "sanitize-payload",
        "skip-sanitize-payload",
        "clearselectors",
        "reset",
    ];
    // Not within parentheses: of a rule that is refused, an error shows less than Redis does.
    const DIGESTS: &[&str] = &[
        "#ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "!ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    ];
    match random.below(10) {
        0..=3 => format!("{}{}", random.pick(&["+", "-"]), random.pick(COMMANDS)),
        4 | 5 => format!(
            "{}{}",
            random.pick(&["~", "%R~", "%W~", "%r~", "%wr~", "&"]),
            random.pick(KEYS)
        ),
        6 => random.pick(WORDS).to_owned(),
        7 if depth == 0 => {
            let words: Vec<String> = (0..random.below(4)).map(|_| rule(random, 1)).collect();
            format!("({})", words.join(" "))
        }
        _ if depth == 0 && random.percent(15) => random.pick(DIGESTS).to_owned(),
        _ => random.pick(OF_USERS).to_owned(),
    }
}

#[test]
fn rules_mean_what_they_mean_to_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let redis = Server::start(&redis).unwrap();
    let weir = Server::start(&peers::weir().unwrap()).unwrap();
    let mut clients = [&redis, &weir].map(|server| server.connect(Protocol::Resp3).unwrap());
    let mut both = |words: &[&str]| {
        let [expected, found] = clients.each_mut().map(|client| ask(client, words));
        assert_eq!(found, expected, "{words:?}");
        expected
    };
    let mut random = Random::new(1);
    let requests: &[&[&str]] = &[
        &["GET", "a1"],
        &["SET", "b", "x"],
        &["SET", "a1", "x", "GET"],
        &["COPY", "a1", "b"],
        &["CONFIG", "GET", "port"],
        &["CONFIG", "SET", "timeout", "0"],
        &["SELECT", "1"],
        &["XADD", "xs", "*", "f", "v"],
        &["XGROUP", "CREATE", "a", "g", "$"],
        &["ACL", "WHOAMI"],
        &["MGET", "a", "b", "c"],
        &["CLIENT", "KILL", "ID", "0"],
        &["OBJECT", "ENCODING", "a"],
        &["EXISTS", "b"],
        &["AUTH", "x"],
    ];
    let mut accepted = 0;
    for _ in 0..1500 {
        let rules: Vec<String> = (0..=random.below(5))
            .map(|_| rule(&mut random, 0))
            .collect();
        let mut words = vec!["ACL", "SETUSER", "u"];
        words.extend(rules.iter().map(String::as_str));
        accepted += usize::from(both(&words) == "+OK");
        both(&["ACL", "LIST"]);
        both(&["ACL", "GETUSER", "u"]);
        for _ in 0..3 {
            let request = random.pick(requests);
            both(&[&["ACL", "DRYRUN", "u"], request].concat());
        }
        if random.below(12) == 0 {
            both(&["ACL", "DELUSER", "u"]);
            both(&[
                "ACL",
                "SETUSER",
                "u",
                random.pick(&["on", "allcommands", "allkeys"]),
            ]);
        }
    }
    assert!(accepted > 300, "only {accepted} were accepted");
}

#[test]
fn users_of_a_file_are_there_from_the_start_and_are_saved_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.acl");
    let path = file.to_str().unwrap();
    fs::write(
        &file,
        "user default on nopass ~* &* +@all\nuser a on >pw ~a* +@all\n",
    )
    .unwrap();
    let server = Server::start_with(&peers::weir().unwrap(), &[("aclfile", path)]).unwrap();
    let mut admin = server.connect(Protocol::Resp2).unwrap();
    let mut user = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut user, &["AUTH", "a", "pw"]), "+OK");
    assert_eq!(ask(&mut user, &["SET", "a1", "x"]), "+OK");
    assert!(ask(&mut user, &["SET", "b1", "x"]).contains("NOPERM"));
    assert_eq!(
        ask(&mut admin, &["ACL", "SETUSER", "b", "on", ">x", "+get"]),
        "+OK"
    );
    assert_eq!(ask(&mut admin, &["ACL", "SAVE"]), "+OK");
    let saved = fs::read_to_string(&file).unwrap();
    assert_eq!(saved.lines().count(), 3);
    assert!(
        saved.contains("user b on sanitize-payload #2d71") && !saved.contains(">x"),
        "{saved}"
    );
    // What is wrong changes nothing; what is right changes everything, and cuts off who is gone.
    fs::write(&file, "user a off\nuser c +frob >secret\n# no comment\n").unwrap();
    let refused = ask(&mut admin, &["ACL", "LOAD"]);
    assert!(
        refused.contains("users.acl:2: Error in applying operation"),
        "{refused}"
    );
    assert!(refused.contains("users.acl:3 should start") && !refused.contains("secret"));
    assert_eq!(ask(&mut user, &["SET", "a1", "x"]), "+OK");
    fs::write(&file, "user c on nopass +@all\n").unwrap();
    assert_eq!(ask(&mut admin, &["ACL", "LOAD"]), "+OK");
    assert_eq!(user.read().unwrap(), Value::Closed);
    let listed = ask(&mut admin, &["ACL", "USERS"]);
    assert!(listed.contains('c') && listed.contains("default") && !listed.contains("a\""));
    fs::remove_file(&file).unwrap();
    assert!(ask(&mut admin, &["ACL", "LOAD"]).contains("Error loading ACLs, opening file"));
}

#[test]
fn a_server_does_not_start_with_users_that_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.acl");
    let path = file.to_str().unwrap();
    let weir = peers::weir().unwrap();
    assert!(Server::start_with(&weir, &[("aclfile", path)]).is_err());
    fs::write(&file, "user a (~x\n").unwrap();
    assert!(Server::start_with(&weir, &[("aclfile", path)]).is_err());
    let config = folder.path().join("weir.conf");
    fs::write(&config, "user a on +frob\n").unwrap();
    assert!(Server::start_from(&weir, &config, &[]).is_err());
    fs::write(&file, "").unwrap();
    fs::write(&config, format!("user a on\naclfile {path}\n")).unwrap();
    assert!(Server::start_from(&weir, &config, &[]).is_err());
}

#[test]
fn users_of_the_configuration_file_are_rewritten_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("weir.conf");
    fs::write(
        &config,
        "# mine\nuser a on >pw +@all (~x* +get)\nuser b on\n",
    )
    .unwrap();
    let weir = peers::weir().unwrap();
    let server = Server::start_from(&weir, &config, &[]).unwrap();
    let mut admin = server.connect(Protocol::Resp2).unwrap();
    ask(&mut admin, &["ACL", "SETUSER", "a", "-get"]);
    ask(&mut admin, &["ACL", "DELUSER", "b"]);
    ask(&mut admin, &["ACL", "SETUSER", "c", "on", "nopass"]);
    let before = ask(&mut admin, &["ACL", "LIST"]);
    assert_eq!(ask(&mut admin, &["CONFIG", "REWRITE"]), "+OK");
    let text = fs::read_to_string(&config).unwrap();
    assert!(
        text.starts_with("# mine\nuser a on ") && !text.contains("user b"),
        "{text}"
    );
    drop(admin);
    server.stop().unwrap();
    let server = Server::start_from(&weir, &config, &[]).unwrap();
    let mut admin = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(ask(&mut admin, &["ACL", "LIST"]), before);
}

#[test]
fn a_user_that_is_removed_is_cut_off_while_it_waits() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut admin = server.connect(Protocol::Resp2).unwrap();
    let mut user = server.connect(Protocol::Resp3).unwrap();
    ask(
        &mut admin,
        &["ACL", "SETUSER", "u", "on", ">pw", "+@all", "~*"],
    );
    assert!(ask(&mut user, &["HELLO", "3", "AUTH", "u", "pw"]).contains("proto"));
    user.send(&["BLPOP", "list", "0"]).unwrap();
    while !ask(&mut admin, &["CLIENT", "LIST"]).contains("flags=b") {}
    let listed = ask(&mut admin, &["CLIENT", "LIST"]);
    assert!(
        listed.contains("user=u ") && listed.contains("user=default "),
        "{listed}"
    );
    assert!(ask(&mut admin, &["CLIENT", "KILL", "USER", "nobody"]).contains("No such user"));
    assert_eq!(ask(&mut admin, &["ACL", "DELUSER", "u"]), "1");
    assert_eq!(user.read().unwrap(), Value::Closed);
}
