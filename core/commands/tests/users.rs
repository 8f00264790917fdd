//! Users: what they may do, where that is checked, and what is noted of what they may not.

use commands::TABLE;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::{USER_BYTES_MAX, USER_ITEMS_MAX, USERS_MAX};
use engine::users::Precedent;
use engine::{Engine, Mono, Next, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

struct Server {
    engine: Engine,
    /// A client who may do everything.
    admin: SessionId,
}

impl Server {
    fn new() -> Server {
        Server::with(Settings::default())
    }

    fn with(settings: Settings) -> Server {
        let mut engine = Engine::new(settings, 7, NOW, &TABLE);
        let admin = engine.connect(String::new(), String::new(), NOW);
        Server { engine, admin }
    }

    /// A client who acts as a user with these rules.
    fn user(&mut self, rules: &str) -> SessionId {
        let made = self.ask(&format!("ACL SETUSER u reset on nopass {rules}"));
        assert_eq!(made, "+OK");
        let client = self.engine.connect(String::new(), String::new(), NOW);
        assert_eq!(self.ask_as(client, "AUTH u x"), "+OK");
        client
    }

    fn words(&mut self, client: SessionId, words: &[&[u8]]) -> (String, Next) {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = words.iter().copied().collect();
        let outcome = self.engine.request(client, argv.as_argv(), NOW, &mut reply);
        let text = String::from_utf8_lossy(&reply.into_bytes()).into_owned();
        let text = text.replace("\r\n", " ").trim_end().to_owned();
        (text, outcome.then)
    }

    fn ask_as(&mut self, client: SessionId, request: &str) -> String {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        self.words(client, &words).0
    }

    fn ask(&mut self, request: &str) -> String {
        self.ask_as(self.admin, request)
    }
}

const NO_KEY: &str = "-NOPERM No permissions to access a key";

#[test]
fn a_user_may_run_what_its_rules_say_and_nothing_else() {
    let mut server = Server::new();
    let client = server.user("+@all -debug -config|set +select|0 ~a* %R~r* %W~w* (+get ~z)");
    for (request, reply) in [
        (
            "CONFIG SET timeout 1",
            "-NOPERM User u has no permissions to run the 'config|set' command",
        ),
        ("CONFIG GET timeout", "*2 $7 timeout $1 0"),
        ("SET a 1", "+OK"),
        ("GET q", NO_KEY),
        ("GET z", "$-1"),
        ("SET z 1", NO_KEY),
        ("GET r", "$-1"),
        ("SET r 1", NO_KEY),
        ("SET w 1", "+OK"),
        ("SET w 1 GET", NO_KEY),
        ("GET w", NO_KEY),
        ("EXISTS w r", ":1"),
        ("COPY r w", ":0"),
        ("COPY w r", NO_KEY),
        ("MGET a q", NO_KEY),
        ("BITFIELD w GET u8 0", NO_KEY),
        ("BITFIELD r GET u8 0", "*1 :0"),
        ("DEL r", NO_KEY),
        ("XADD r * f v", NO_KEY),
        ("XREAD STREAMS a q 0 0", NO_KEY),
        // A request whose keys cannot be found is refused by its command.
        ("ZUNION x q", "-ERR value is not an integer or out of range"),
        // Whoever it is may say who it is.
        ("AUTH u x", "+OK"),
        ("ACL WHOAMI", "$1 u"),
    ] {
        assert_eq!(server.ask_as(client, request), reply, "{request}");
    }
    assert!(
        server
            .ask("INFO stats")
            .contains("acl_access_denied_key:11")
    );
    // Other rules count at once.
    server.ask("ACL SETUSER u -@all +select|0 +ping");
    assert_eq!(server.ask_as(client, "PING"), "+PONG");
    assert_eq!(server.ask_as(client, "SELECT 0"), "+OK");
    assert!(server.ask_as(client, "SELECT 1").starts_with("-NOPERM"));
}

#[test]
fn a_transaction_is_checked_when_it_is_queued_and_again_when_it_runs() {
    let mut server = Server::new();
    let client = server.user("+@all ~a*");
    server.ask_as(client, "MULTI");
    assert_eq!(server.ask_as(client, "SET b 1"), NO_KEY);
    assert!(server.ask_as(client, "EXEC").starts_with("-EXECABORT"));
    server.ask_as(client, "MULTI");
    for request in ["SET a1 x", "GET a2", "PING"] {
        assert_eq!(server.ask_as(client, request), "+QUEUED");
    }
    server.ask("ACL SETUSER u resetkeys ~zz -set");
    let why = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and \
               the EXEC call. This command is no longer allowed for the following reason: no \
               permission to";
    assert_eq!(
        server.ask_as(client, "EXEC"),
        format!("*3 {why} execute the command or subcommand {why} touch the specified keys +PONG")
    );
    assert_eq!(server.ask("EXISTS a1"), ":0");
    let log = server.ask("ACL LOG");
    assert!(log.contains("$7 context $5 multi $6 object $2 a2"), "{log}");
}

#[test]
fn a_client_that_waits_is_checked_again_when_it_is_served() {
    let mut server = Server::new();
    let client = server.user("+@all ~a*");
    assert_eq!(server.ask_as(client, "BLPOP a 0"), "");
    server.ask("ACL SETUSER u -blpop");
    server.ask("RPUSH a 1");
    let deliveries = server.engine.take_deliveries();
    let bytes = deliveries
        .into_iter()
        .map(|delivery| delivery.bytes.into_bytes());
    let told = String::from_utf8(bytes.flatten().collect()).unwrap();
    assert_eq!(
        told,
        "-NOPERM User u has no permissions to run the 'blpop' command\r\n"
    );
    assert_eq!(server.ask("LLEN a"), ":1");
}

#[test]
fn the_key_that_is_really_written_is_checked() {
    let mut server = Server::new();
    server.ask("GEOADD a 1 1 m");
    server.ask("RPUSH al 1 2");
    let client = server.user("+@all ~a*");
    for (request, allowed) in [
        ("GEORADIUS a 1 1 1 km STORE a2 STORE q", false),
        ("GEORADIUS a 1 1 1 km STORE q STORE a2", true),
        ("GEORADIUS a 1 1 1 km STOREDIST q STORE a2", false),
        ("GEORADIUS a 1 1 1 km STORE a2 STOREDIST q", false),
        ("GEORADIUS a 1 1 1 km COUNT 1 STORE store STORE a3", true),
        ("GEORADIUSBYMEMBER a m 1 km STORE a2 STORE q", false),
        ("SORT al STORE q STORE a4", true),
        ("SORT al STORE a4 STORE q", false),
        ("SORT al BY nosort", true),
    ] {
        let reply = server.ask_as(client, request);
        assert_eq!(reply != NO_KEY, allowed, "{request}: {reply}");
    }
    assert_eq!(server.ask("EXISTS q store"), ":0");
    assert_eq!(server.ask("EXISTS a2 a3 a4"), ":3");
    let denied = |option| {
        format!("-ERR {option} option of SORT denied due to insufficient ACL permissions.")
    };
    assert_eq!(server.ask_as(client, "SORT al BY x* GET #"), denied("BY"));
    assert_eq!(server.ask_as(client, "SORT_RO al GET #"), denied("GET"));
    server.ask("ACL SETUSER u %R~*");
    assert_eq!(server.ask_as(client, "SORT_RO al GET #"), "*2 $1 1 $1 2");
}

#[test]
fn who_acts_as_a_user_that_is_removed_is_cut_off() {
    let mut server = Server::new();
    let client = server.user("+@all allkeys");
    assert_eq!(server.ask("ACL DELUSER u nobody"), ":1");
    let gone = server.engine.take_deliveries();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].session, client);
    let client = server.user("+@all allkeys");
    let (reply, then) = server.words(client, &[b"ACL", b"DELUSER", b"u"]);
    assert_eq!((reply.as_str(), then), (":1", Next::Close));
}

#[test]
fn channels_are_allowed_by_patterns_and_patterns_by_themselves() {
    const NO_CHANNEL: &str = "-NOPERM No permissions to access a channel";
    let mut server = Server::new();
    let client = server.user("+@all &news.* &log");
    for (request, allowed) in [
        ("PUBLISH news.a x", true),
        ("PUBLISH other x", false),
        ("SPUBLISH other x", false),
        ("PSUBSCRIBE news.a*", false),
        ("SUBSCRIBE news.a other", false),
        ("UNSUBSCRIBE other", true),
        ("PSUBSCRIBE news.*", true),
    ] {
        let reply = server.ask_as(client, request);
        assert_eq!(reply != NO_CHANNEL, allowed, "{request}: {reply}");
    }
    // Who listens to what its user may no longer use is cut off.
    server.engine.take_deliveries();
    server.ask("ACL SETUSER u +get");
    server.ask("ACL SETUSER u resetchannels &news.*");
    assert!(server.engine.take_deliveries().is_empty());
    server.ask("ACL SETUSER u resetchannels &news.a");
    let gone = server.engine.take_deliveries();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].session, client);
}

#[test]
fn a_password_of_the_settings_is_the_default_users() {
    let mut settings = Settings::default();
    settings.set("requirepass", "secret").unwrap();
    let mut server = Server::with(settings);
    assert_eq!(server.ask("PING"), "-NOAUTH Authentication required.");
    assert!(server.ask("AUTH wrong").starts_with("-WRONGPASS"));
    assert_eq!(server.ask("AUTH secret"), "+OK");
    assert_eq!(server.ask("ACL SETUSER default >other"), "+OK");
    assert_eq!(server.ask("CONFIG SET requirepass third"), "+OK");
    for old in ["secret", "other"] {
        assert!(server.ask(&format!("AUTH {old}")).starts_with("-WRONGPASS"));
    }
    assert_eq!(server.ask("AUTH default third"), "+OK");
    let admin = server.admin;
    let none = [b"CONFIG".as_slice(), b"SET", b"requirepass", b""];
    assert_eq!(server.words(admin, &none).0, "+OK");
    let open = server.engine.connect(String::new(), String::new(), NOW);
    assert_eq!(server.ask_as(open, "PING"), "+PONG");
    let log = server.ask("ACL LOG");
    assert!(
        log.contains("$6 reason $4 auth $7 context $8 toplevel $6 object $4 AUTH"),
        "{log}"
    );
    // Who is let in by one password is let in by it no more once the user is off.
    server.ask("ACL SETUSER default off");
    let open = server.engine.connect(String::new(), String::new(), NOW);
    assert_eq!(
        server.ask_as(open, "PING"),
        "-NOAUTH Authentication required."
    );
}

#[test]
fn what_users_hold_is_bounded() {
    let mut server = Server::new();
    for (rule, error) in [
        ("~k", "ERR Error in ACL SETUSER modifier '~k4096'"),
        ("&k", "ERR Error in ACL SETUSER modifier '&k4096'"),
        (">k", "ERR Error in ACL SETUSER modifier '>k4096'"),
        ("+get|k", "ERR Error in ACL SETUSER modifier '+get|k4096'"),
    ] {
        let rules = |n| {
            (0..n)
                .map(|i| format!("{rule}{i}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let made = server.ask(&format!("ACL SETUSER u reset {}", rules(USER_ITEMS_MAX)));
        assert_eq!(made, "+OK");
        let refused = server.ask(&format!(
            "ACL SETUSER u reset {}",
            rules(USER_ITEMS_MAX + 1)
        ));
        assert_eq!(
            refused,
            format!("-{error}: The user has too many rules of this kind")
        );
    }
    let selectors = |n| vec!["()"; n].join(" ");
    let made = server.ask(&format!(
        "ACL SETUSER u reset {}",
        selectors(USER_ITEMS_MAX)
    ));
    assert_eq!(made, "+OK");
    assert!(server.ask("ACL SETUSER u ()").starts_with("-ERR Error"));
    // However few rules they are, they do not take more than a user may.
    let long = |n| format!("ACL SETUSER u reset ~{}", "k".repeat(n));
    assert_eq!(server.ask(&long(USER_BYTES_MAX - 4096)), "+OK");
    let too_large = "-ERR The user takes too much memory";
    assert_eq!(server.ask(&long(USER_BYTES_MAX)), too_large);
    let more = ["(~k)"; 64].join(" ");
    assert_eq!(server.ask(&format!("ACL SETUSER u {more}")), too_large);
    server.ask("ACL DELUSER u");
    for user in 1..USERS_MAX {
        server.ask(&format!("ACL SETUSER {user}"));
    }
    assert_eq!(
        server.ask("ACL SETUSER more"),
        "-ERR There are too many users"
    );
    assert_eq!(server.ask("ACL SETUSER 1 on"), "+OK");
}

#[test]
fn a_first_argument_with_a_space_is_refused() {
    let mut server = Server::new();
    let admin = server.admin;
    for rule in [
        b"+eval_none|a b".as_slice(),
        b"+get|a b",
        b"+get|a\0",
        b"(\"+get)",
    ] {
        let (reply, _) = server.words(admin, &[b"ACL", b"SETUSER", b"u", rule]);
        assert!(
            reply.starts_with("-ERR Error in ACL SETUSER modifier"),
            "{reply}"
        );
    }
}

#[test]
fn secrets_of_users_are_hidden_from_monitors() {
    let mut server = Server::new();
    server.ask("MONITOR");
    let client = server.engine.connect(String::new(), String::new(), NOW);
    server.ask_as(client, "AUTH default secret");
    let shown = server.engine.take_deliveries();
    let bytes = shown
        .into_iter()
        .map(|delivery| delivery.bytes.into_bytes());
    let shown = String::from_utf8(bytes.flatten().collect()).unwrap();
    assert!(
        shown.contains("(redacted)") && !shown.contains("secret"),
        "{shown}"
    );
}

/// Words of which rules are made.
fn rule() -> impl Strategy<Value = Vec<u8>> {
    let command = prop::sample::select(vec![
        "get",
        "set",
        "config",
        "config|get",
        "CONFIG|SET",
        "select|1",
        "@read",
        "@write",
        "@all",
        "@dangerous",
        "nope",
        "cluster|info",
        "xadd",
        "get|x",
        "@admin",
    ]);
    let signed = (prop::sample::select(vec!["+", "-"]), command)
        .prop_map(|(sign, command)| format!("{sign}{command}").into_bytes());
    let word = prop::sample::select(vec![
        "on",
        "off",
        "nopass",
        "resetpass",
        "allkeys",
        "resetkeys",
        "allchannels",
        "resetchannels",
        "allcommands",
        "nocommands",
        "clearselectors",
        "~a*",
        "%R~b",
        "%W~b",
        "%RW~[c]*",
        "&ch",
        "&*",
        ">p",
        "<p",
        "sanitize-payload",
        "skip-sanitize-payload",
    ]);
    let word = word.prop_map(|word| word.as_bytes().to_vec());
    let plain = prop_oneof![signed, word];
    let selector = prop::collection::vec(plain.clone(), 0..4)
        .prop_map(|words| [b"(".as_slice(), &words.join(b" ".as_slice()), b")"].concat());
    prop_oneof![8 => plain, 1 => selector, 1 => prop::collection::vec(any::<u8>(), 0..20)]
}

#[test]
fn who_is_given_back_what_was_taken_away_may_do_everything() {
    let mut server = Server::new();
    server.ask("ACL SETUSER u on nopass allkeys allchannels +@all -config");
    let is_powerful = |server: &Server| {
        let user = server.engine.server.users.find(b"u").unwrap();
        user.is_all_powerful()
    };
    assert!(!is_powerful(&server));
    server.ask("ACL SETUSER u +config");
    assert!(is_powerful(&server));
}

const TEN_PATTERNS: &str = "+@all ~one:* ~two:* ~three:* ~four:* ~five:* ~six:* ~seven:* ~eight:* \
                            ~a-long-beginning:* ~ten:*";

/// How a user's request is allowed: by what allowed one before, quickly, or as only a whole check
/// may find out.
#[derive(Debug, PartialEq)]
enum Passes {
    ByPrecedent,
    Clearly,
    Perhaps,
}

fn passes(server: &Server, request: &str, precedent: &mut Precedent) -> Passes {
    let user = server
        .engine
        .server
        .users
        .find(b"u")
        .expect("the user was made");
    let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
    let argv = argv.as_argv();
    let (row, _) = server
        .engine
        .server
        .commands
        .find_request(argv)
        .expect("a command");
    let how = match (
        user.may_by(row, argv, precedent),
        user.clearly_may(row, argv, precedent),
    ) {
        (true, _) => Passes::ByPrecedent,
        (false, true) => Passes::Clearly,
        (false, false) => return Passes::Perhaps,
    };
    assert_eq!(user.check(row, argv), Ok(()), "{request}");
    how
}

#[test]
fn a_request_passes_by_what_let_one_before_pass() {
    let mut server = Server::new();
    for (rules, requests) in [
        (
            TEN_PATTERNS,
            [
                ("GET ten:1234", Passes::Clearly),
                ("GET ten:5678", Passes::ByPrecedent),
                ("SET ten:5678 v EX 10 GET", Passes::ByPrecedent),
                ("XADD ten:12345 * field value", Passes::ByPrecedent),
                ("GET ten:1", Passes::Clearly),
                ("GET ten", Passes::Perhaps),
                ("GET tenth:1234", Passes::Perhaps),
                ("XGROUP CREATE one:1234 group $", Passes::Clearly),
                ("XGROUP CREATE one:1234 group $", Passes::ByPrecedent),
                ("GET ten:1234", Passes::Clearly),
                ("HSET a-long-beginning:1 a 1", Passes::Clearly),
                ("HSET a-long-beginning:1 a 1", Passes::Clearly),
                ("HSET a-long-beginning 1 a 1", Passes::Perhaps),
                ("MGET one:1234 ten:1234", Passes::Perhaps),
                ("PUBLISH one:1234 1", Passes::Perhaps),
                ("PING", Passes::Clearly),
            ]
            .as_slice(),
        ),
        (
            "+@all -get ~*",
            &[
                ("INCR any:1234", Passes::Clearly),
                ("INCR any:1234", Passes::ByPrecedent),
                ("GET any:1234", Passes::Perhaps),
            ],
        ),
        (
            "+@all %R~read:* %W~write:* ~glob[1]*",
            &[
                ("GET read:1234", Passes::Clearly),
                ("GET read:1234", Passes::Clearly),
                ("HSET read:1234 a b", Passes::Perhaps),
                ("HSET write:1234 a b", Passes::Clearly),
                ("GET write:1234", Passes::Perhaps),
                ("INCR write:1234", Passes::Perhaps),
                // Whether it reads depends on its options.
                ("SET write:1234 1", Passes::Perhaps),
                ("SET glob1234 1", Passes::Clearly),
                ("SET glob1234 1", Passes::Clearly),
                ("SET glob2345 1", Passes::Perhaps),
            ],
        ),
        ("-@all (+get ~any:*)", &[("GET any:1234", Passes::Perhaps)]),
    ] {
        server.user(rules);
        let mut precedent = Precedent::NONE;
        for (request, how) in requests {
            let found = passes(&server, request, &mut precedent);
            assert_eq!(found, *how, "{rules}: {request}");
        }
    }
}

#[test]
fn what_was_allowed_before_counts_for_nothing_when_rules_change() {
    let mut server = Server::new();
    let client = server.user(TEN_PATTERNS);
    for (rules, key, reply) in [
        ("on", "ten:1234", "$-1"),
        ("resetkeys ~one:* ~eleven:*", "ten:1234", NO_KEY),
        ("on", "eleven:1234", "$-1"),
        ("resetkeys %W~one:* %W~eleven:*", "eleven:1234", NO_KEY),
        ("%R~eleven:*", "eleven:1234", "$-1"),
        ("resetkeys", "eleven:1234", NO_KEY),
        ("~ten:*", "ten:1234", "$-1"),
        (
            "-get",
            "ten:1234",
            "-NOPERM User u has no permissions to run the 'get' command",
        ),
    ] {
        assert_eq!(server.ask(&format!("ACL SETUSER u {rules}")), "+OK");
        let answered = server.ask_as(client, &format!("GET {key}"));
        assert_eq!(answered, reply, "{rules}: {key}");
    }
}

proptest! {
    #[test]
    fn what_passes_quickly_is_allowed(
        rules in prop::collection::vec(rule(), 0..12),
        words in prop::collection::vec(
            prop::sample::select(vec!["a", "ab", "b", "c1", "1", "a-long-name", "b-long-name"]),
            5..12,
        ),
    ) {
        let mut server = Server::new();
        let admin = server.admin;
        for rule in &rules {
            server.words(admin, &[b"ACL", b"SETUSER", b"u", rule]);
        }
        server.ask("ACL SETUSER u on");
        let mut precedent = Precedent::NONE;
        let rows = TABLE.rows().iter().filter(|row| row.subcommand_count() == 0);
        for (number, row) in rows.enumerate() {
            let names = [row.container, row.spec.name].into_iter();
            let words = words.iter().cycle().skip(number).take(5).copied();
            let words = names.filter(|name| !name.is_empty()).chain(words);
            passes(&server, &words.collect::<Vec<_>>().join(" "), &mut precedent);
        }
    }

    #[test]
    fn what_a_line_says_of_a_user_makes_the_same_user(
        rules in prop::collection::vec(rule(), 0..12),
    ) {
        let mut server = Server::new();
        let admin = server.admin;
        for rule in &rules {
            let line = |server: &Server| {
                let user = server.engine.server.users.find(b"u");
                user.map(|user| user.line())
            };
            let before = line(&server);
            let (reply, _) = server.words(admin, &[b"ACL", b"SETUSER", b"u", rule]);
            if reply != "+OK" {
                prop_assert_eq!(line(&server), before);
            }
        }
        server.ask("ACL SETUSER u on");
        let user = server.engine.server.users.find(b"u").unwrap().clone();
        let text = server.engine.server.users.file_text();
        server.engine.load_users("file", &text).unwrap();
        let again = server.engine.server.users.find(b"u").unwrap();
        prop_assert_eq!(&user.line(), &again.line());
        prop_assert_eq!(&*user, &**again);
    }

    #[test]
    fn no_file_of_users_is_too_strange(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut server = Server::new();
        let before = server.engine.server.users.file_text();
        if server.engine.load_users("file", &text).is_err() {
            prop_assert_eq!(server.engine.server.users.file_text(), before);
        }
    }
}

#[test]
fn a_certificate_stands_for_the_user_of_its_name_if_it_is_on() {
    let mut server = Server::new();
    server.ask("ACL SETUSER alice on >secret +@all ~*");
    server.ask("CONFIG SET requirepass secret");
    let shown = |server: &mut Server, name: &str| {
        let client = server.engine.connect(String::new(), String::new(), NOW);
        server
            .engine
            .certificate_shown(client, name.as_bytes(), NOW);
        server.ask_as(client, "ACL WHOAMI")
    };
    let nobody = "-NOAUTH Authentication required.";
    assert_eq!(shown(&mut server, "alice"), nobody);
    server.ask("CONFIG SET tls-auth-clients-user cn");
    assert_eq!(shown(&mut server, "alice"), "$5 alice");
    for name in ["Alice", "", "alice\0", "bob", "bob"] {
        assert_eq!(shown(&mut server, name), nobody, "{name}");
    }
    server.ask("ACL SETUSER alice off");
    assert_eq!(shown(&mut server, "alice"), nobody);
    let log = server.ask("ACL LOG");
    assert!(
        log.contains(
            "$6 reason $8 tls-cert $7 context $8 toplevel $6 object $0  $8 username $5 alice"
        ),
        "{log}"
    );
    let count = "acl_access_denied_tls_cert:6";
    assert!(server.ask("INFO stats").contains(count));
    // Whoever has no user that is on is `default`.
    server.ask("ACL SETUSER default nopass");
    assert_eq!(shown(&mut server, "bob"), "$7 default");
    server.ask("CONFIG SET tls-auth-clients-user off");
    server.ask("CONFIG RESETSTAT");
    shown(&mut server, "bob");
    assert!(
        server
            .ask("INFO stats")
            .contains("acl_access_denied_tls_cert:0")
    );
}
