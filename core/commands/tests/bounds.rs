//! What one request makes the engine do grows with the request and with what it asks about, not
//! with the product of both. The sizes are such that a product would not come to an end.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, Reply};

/// A server without a log, and its clock.
struct Server {
    engine: Engine,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        Server {
            engine: Engine::new(Settings::default(), 7, now, &commands::TABLE),
            now,
        }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    fn ask<A: AsRef<[u8]>>(&mut self, session: SessionId, argv: &[A]) -> String {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = argv.iter().map(AsRef::as_ref).collect();
        let _ = self
            .engine
            .request(session, argv.as_argv(), self.now, &mut reply);
        String::from_utf8_lossy(&reply.into_bytes()).into_owned()
    }
}

/// Arguments: these words, and then as many keys.
fn with_keys(words: &[&str], count: usize) -> Vec<String> {
    let keys = (0..count).map(|n| format!("k{n}"));
    words
        .iter()
        .map(|word| (*word).to_owned())
        .chain(keys)
        .collect()
}

/// Squared, it is more than a test can wait for.
const MANY: usize = 100_000;

#[test]
fn many_keys_are_watched_one_by_one() {
    let mut server = Server::new();
    let (watcher, writer) = (server.connect(), server.connect());
    let watch = with_keys(&["WATCH"], MANY);
    assert_eq!(server.ask(watcher, &watch), "+OK\r\n");
    assert_eq!(server.ask(watcher, &watch), "+OK\r\n");
    assert!(
        server
            .ask(watcher, &["CLIENT", "INFO"])
            .contains(&format!(" watch={MANY} "))
    );
    server.ask(writer, &["SET", "k7", "v"]);
    server.ask(watcher, &["MULTI"]);
    assert_eq!(server.ask(watcher, &["EXEC"]), "*-1\r\n");
    assert!(
        server
            .ask(watcher, &["CLIENT", "INFO"])
            .contains(" watch=0 ")
    );
}

#[test]
fn a_transaction_touches_many_awaited_keys_one_by_one() {
    let mut server = Server::new();
    let (reader, writer) = (server.connect(), server.connect());
    let mut read = with_keys(&["XREAD", "BLOCK", "0", "STREAMS"], MANY);
    read.extend(std::iter::repeat_n("9999999999999-0".to_owned(), MANY));
    assert_eq!(server.ask(reader, &read), "");
    server.ask(writer, &["MULTI"]);
    for n in 0..MANY {
        let key = format!("k{n}");
        server.ask(writer, &["XADD", &key, "1-1", "f", "v"]);
        // Twice in one transaction: each key is looked at once.
        server.ask(writer, &["XADD", &key, "1-2", "f", "v"]);
    }
    server.ask(writer, &["EXEC"]);
    assert!(server.engine.take_deliveries().is_empty());
    server.ask(writer, &["XADD", "k7", "9999999999999-1", "f", "v"]);
    let delivered = server.engine.take_deliveries();
    assert!(matches!(&delivered[..], [one] if one.session == reader));
}

/// Requests that fill keys, and one that lets something large go.
const LETTING_GO: &[(&[&str], &str)] = &[
    (&["FIELDS h"], "DEL h"),
    (&["FIELDS h"], "UNLINK h"),
    (&["FIELDS h"], "SET h 1"),
    (&["LONGS h"], "HDEL h a b c"),
    (&["LONGS h"], "HDEL h a b none c d a"),
    (&["LONGS h"], "HSET h a 1 b 2 c 3"),
    (&["LONGS h"], "HMSET h d 1 b 2 c 3"),
    (&["MEMBERS s"], "DEL s"),
    (&["MEMBERS s"], "UNLINK s"),
    (&["MEMBERS s"], "SET s 1"),
    (&["MEMBERS s"], "SPOP s 100000"),
    (&["MEMBERS s"], "SPOP s 29000"),
    (&["MEMBERS s"], "SINTERSTORE s s none"),
    (&["MEMBERS s", "SADD t a"], "SUNIONSTORE s t"),
    (&["LONG-MEMBERS s"], "SPOP s 100"),
    (&["SETRANGE k 2000000 x"], "DEL k"),
    (&["SETRANGE k 2000000 x"], "UNLINK k"),
    (&["SETRANGE k 2000000 x"], "GETDEL k"),
    (&["SETRANGE k 2000000 x"], "SET k v"),
    (&["SETRANGE k 2000000 x"], "SET k v EX 10"),
    (&["SETRANGE k 2000000 x"], "MSET k v"),
    (&["SETRANGE k 2000000 x"], "PEXPIREAT k 1"),
    (&["SETRANGE k 2000000 x"], "BITOP OR k none"),
    (&["SETRANGE k 2000000 x", "SET o v"], "BITOP OR k o"),
    (&["SETRANGE k 2000000 x", "SET o v"], "RENAME o k"),
    (&["SETRANGE k 2000000 x", "SET o v"], "COPY o k REPLACE"),
    (&["FILL k"], "DEL k"),
    (&["FILL k"], "SET k v"),
    (&["FILL k"], "XTRIM k MAXLEN 0"),
    (&["FILL k"], "XTRIM k MINID 9999999999999"),
    (&["FILL k"], "XADD k MAXLEN 1 * f v"),
    (&["FILL k", "XGROUP CREATE k g $"], "XTRIM k MAXLEN 0 ACKED"),
    (&["FILL k", "READ k"], "XGROUP DESTROY k g"),
    (&["KEYS"], "FLUSHDB"),
    (&["KEYS"], "FLUSHALL"),
];

impl Server {
    fn ask_words(&mut self, session: SessionId, request: &str) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        match words[..] {
            ["FILL", key] => {
                let value = "v".repeat(200);
                for _ in 0..30_000 {
                    self.ask(session, &["XADD", key, "*", "f", &value]);
                }
                String::new()
            }
            ["READ", key] => {
                self.ask(session, &["XGROUP", "CREATE", key, "g", "0"]);
                self.ask(
                    session,
                    &["XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"],
                )
            }
            ["FIELDS", key] => {
                let value = "v".repeat(200);
                for n in 0..10_000 {
                    self.ask(session, &["HSET", key, &format!("field:{n}"), &value]);
                }
                String::new()
            }
            ["MEMBERS", key] => {
                for n in 0..30_000 {
                    self.ask(session, &["SADD", key, &format!("{n}:{}", "m".repeat(60))]);
                }
                String::new()
            }
            ["LONG-MEMBERS", key] => {
                for n in 1..=4 {
                    let name = n.to_string();
                    self.ask(session, &["SADD", key, &name.repeat(400_000), &name]);
                }
                String::new()
            }
            ["LONGS", key] => {
                let value = "v".repeat(400_000);
                for field in ["a", "b", "c", "d"] {
                    self.ask(session, &["HSET", key, field, &value]);
                }
                String::new()
            }
            ["KEYS"] => {
                for n in 0..10_000 {
                    self.ask(session, &["SET", &format!("key:{n}"), "v"]);
                }
                String::new()
            }
            _ => self.ask(session, &words),
        }
    }
}

#[test]
fn sets_are_combined_in_the_time_that_their_members_together_take() {
    let mut server = Server::new();
    let client = server.connect();
    let members = with_keys(&["SADD", "s"], MANY);
    assert_eq!(server.ask(client, &members), format!(":{MANY}\r\n"));
    let small: Vec<String> = (0..MANY).map(|n| format!("small:{n}")).collect();
    for (n, key) in small.iter().enumerate() {
        server.ask(client, &["SADD", key, &format!("k{n}"), "other"]);
    }
    // One set many times.
    for (name, expected) in [
        ("SINTERCARD", MANY),
        ("SINTERSTORE", MANY),
        ("SDIFFSTORE", 0),
    ] {
        let count = MANY.to_string();
        let first = if name == "SINTERCARD" { &count } else { "to" };
        let mut request = vec![name, first];
        request.resize(2 + MANY, "s");
        let reply = server.ask(client, &request);
        assert_eq!(reply, format!(":{expected}\r\n"), "{name}");
    }
    // Many small sets, with one that has something of each.
    for (name, expected) in [
        ("SDIFFSTORE", 0),
        ("SUNIONSTORE", MANY + 1),
        ("SINTERSTORE", 0),
    ] {
        let mut request = vec![name, "to", "s"];
        request.extend(small.iter().map(String::as_str));
        let reply = server.ask(client, &request);
        assert_eq!(reply, format!(":{expected}\r\n"), "{name}");
    }
}

#[test]
fn what_is_large_is_handed_out_to_be_freed() {
    for (fill, request) in LETTING_GO {
        let mut server = Server::new();
        let client = server.connect();
        for filling in *fill {
            server.ask_words(client, filling);
        }
        assert!(!server.engine.has_dropped(), "{fill:?}");
        let reply = server.ask_words(client, request);
        assert!(!reply.starts_with('-'), "{request}: {reply}");
        let dropped = server.engine.take_dropped();
        let bytes: usize = dropped.iter().map(engine::Dropped::bytes).sum();
        assert!(bytes > 1 << 20, "{fill:?}, {request}: {bytes} bytes");
    }
}

#[test]
fn a_large_value_that_expires_is_handed_out_to_be_freed() {
    let mut server = Server::new();
    let client = server.connect();
    for look in [true, false] {
        server.ask_words(client, "SETRANGE k 2000000 x");
        server.ask_words(client, "PEXPIRE k 5");
        server.now.unix_us += 10_000;
        server.now.mono = server.now.mono.plus(10);
        if look {
            assert_eq!(server.ask_words(client, "GET k"), "$-1\r\n");
        } else {
            server.engine.timer(server.now);
        }
        assert_eq!(server.engine.take_dropped().len(), 1);
    }
}

#[test]
fn one_timer_call_ends_a_bounded_number_of_waits() {
    use engine::limits::WAITS_PER_TIMER_MAX;
    let mut server = Server::new();
    let reader = |server: &mut Server| {
        let session = server.connect();
        server.ask_words(session, "XREAD BLOCK 10 STREAMS s $");
    };
    (0..=WAITS_PER_TIMER_MAX).for_each(|_| reader(&mut server));
    server.now.mono = server.now.mono.plus(10);
    for ended in [WAITS_PER_TIMER_MAX, 1] {
        assert!(server.engine.next_deadline(server.now) <= Some(server.now.mono));
        server.engine.timer(server.now);
        assert_eq!(server.engine.take_deliveries().len(), ended);
    }
}

#[test]
fn one_entry_serves_one_reader_of_each_group_and_looks_at_no_other() {
    const READERS: usize = 500;
    let mut server = Server::new();
    let writer = server.connect();
    let mut first = Vec::new();
    for group in ["g", "h"] {
        let create = format!("XGROUP CREATE s {group} $ MKSTREAM");
        server.ask_words(writer, &create);
        let readers: Vec<SessionId> = (0..READERS)
            .map(|n| {
                let reader = server.connect();
                let read = format!("XREADGROUP GROUP {group} c{n} BLOCK 0 STREAMS s >");
                server.ask_words(reader, &read);
                reader
            })
            .collect();
        first.extend(readers.into_iter().take(2));
    }
    let append = |server: &mut Server| {
        let looked = server.engine.stats().waiters_looked_at;
        server.ask_words(writer, "XADD s * f v");
        let served = server.engine.take_deliveries();
        let served: Vec<SessionId> = served.iter().map(|one| one.session).collect();
        (served, server.engine.stats().waiters_looked_at - looked)
    };
    assert_eq!(append(&mut server), (vec![first[0], first[2]], 2));
    assert_eq!(append(&mut server), (vec![first[1], first[3]], 2));
    // A consumer that is gone while it waits comes back when something happens, as in Redis.
    let other = server.connect();
    server.ask_words(other, "XGROUP DELCONSUMER s g c400");
    let (served, looked) = append(&mut server);
    assert_eq!((served.len(), looked), (2, 2 * (READERS as u64 - 2)));
    let consumers = server.ask_words(other, "XINFO CONSUMERS s g");
    assert!(consumers.contains("c400"));
    assert_eq!(append(&mut server).1, 2);
}

#[test]
fn a_push_looks_at_no_client_for_whom_there_is_too_little() {
    let mut server = Server::new();
    let writer = server.connect();
    let waiting: Vec<SessionId> = (0..500)
        .map(|_| {
            let client = server.connect();
            server.ask_words(client, "BLMOVEM s d LEFT RIGHT 0 EXACTLY 3 BULK");
            client
        })
        .collect();
    let push = |server: &mut Server| {
        let looked = server.engine.stats().waiters_looked_at;
        server.ask_words(writer, "RPUSH s x");
        let served = server.engine.take_deliveries();
        let served: Vec<SessionId> = served.iter().map(|one| one.session).collect();
        (served, server.engine.stats().waiters_looked_at - looked)
    };
    for client in &waiting[..3] {
        assert_eq!(push(&mut server), (Vec::new(), 0));
        assert_eq!(push(&mut server), (Vec::new(), 0));
        assert_eq!(push(&mut server), (vec![*client], 1));
    }
}

#[test]
fn one_claim_clears_a_bounded_number_of_deleted_entries() {
    use engine::limits::CLAIM_GONE_MAX;
    let mut server = Server::new();
    let session = server.connect();
    server.ask(session, &["XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"]);
    for ms in 1..=CLAIM_GONE_MAX + 1 {
        server.ask(session, &["XADD", "s", &ms.to_string(), "f", "v"]);
    }
    server.ask(
        session,
        &["XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">"],
    );
    server.ask(session, &["XTRIM", "s", "MAXLEN", "0"]);
    let claim = [
        "XREADGROUP",
        "GROUP",
        "g",
        "b",
        "CLAIM",
        "0",
        "STREAMS",
        "s",
        ">",
    ];
    // It looks at no more than it clears: what is behind them is given by the next one.
    server.ask(session, &["XADD", "s", "999999-1", "f", "behind"]);
    let behind = ["XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">"];
    assert!(server.ask(session, &behind).contains("behind"));
    for (left, is_given) in [(2, false), (1, true)] {
        let reply = server.ask(session, &claim);
        assert_eq!(reply.contains("behind"), is_given, "{reply}");
        let groups = server.ask(session, &["XINFO", "GROUPS", "s"]);
        let pending = format!("pending\r\n:{left}\r\n");
        assert!(groups.contains(&pending), "{groups}");
    }
}

#[test]
fn lcs_takes_no_more_memory_than_a_string_may() {
    let mut server = Server::new();
    let client = server.connect();
    assert_eq!(
        server.ask_words(client, "CONFIG SET proto-max-bulk-len 1048576"),
        "+OK\r\n"
    );
    // 512 lines of 512 cells of 4 bytes are as much as is allowed.
    for (len, fits) in [(511, true), (512, false)] {
        let text = "x".repeat(len);
        server.ask(client, &["MSET", "a", &text, "b", &text]);
        let reply = server.ask_words(client, "LCS a b LEN");
        assert_eq!(reply.starts_with(':'), fits, "{len}: {reply}");
    }
}

#[test]
fn what_one_sort_looks_at_is_bounded() {
    use engine::limits::{SORT_BYTES_MAX, SORT_LOOKS_MAX};
    const REFUSED: &str = "-ERR SORT would look at too many elements and keys\r\n";
    let mut server = Server::new();
    let client = server.connect();
    // Elements, and what is asked of each.
    const LEN: usize = 2048;
    server.ask(client, &with_keys(&["RPUSH", "l"], LEN));
    for (get, fits) in [
        (SORT_LOOKS_MAX / LEN, true),
        (SORT_LOOKS_MAX / LEN + 1, false),
    ] {
        let mut request = vec!["SORT", "l", "BY", "nosort"];
        request.extend(std::iter::repeat_n(["GET", "none"], get).flatten());
        let reply = server.ask(client, &request);
        assert_eq!(reply != REFUSED, fits, "{get} times GET");
        assert_eq!(reply.len() > SORT_LOOKS_MAX, fits);
    }
    // Names of keys.
    let long = "x".repeat(SORT_BYTES_MAX / LEN);
    let request = ["SORT", "l", "BY", &format!("{long}*")];
    assert_eq!(server.ask(client, &request), REFUSED);
    let request = ["SORT", "l", "BY", "nosort", "GET", &format!("{long}*->f")];
    assert_eq!(server.ask(client, &request), REFUSED);
    // Elements that are stored, of which one is there once.
    let parts = 64;
    let part = "x".repeat(SORT_BYTES_MAX / parts);
    server.ask(client, &["RPUSH", "long", &part]);
    server.ask(client, &["SET", "w_a", &part]);
    for (times, fits) in [(parts, true), (parts + 1, false)] {
        let mut request = vec!["SORT", "long", "BY", "nosort", "STORE", "d"];
        request.extend(std::iter::repeat_n(["GET", "#"], times).flatten());
        let reply = server.ask(client, &request);
        let expected = if fits { ":64\r\n" } else { REFUSED };
        assert_eq!(reply, expected, "{times} times GET");
        assert_eq!(server.ask_words(client, "LLEN d"), ":64\r\n");
    }
    // What is compared, likewise.
    for (times, fits) in [(parts - 1, true), (parts, false)] {
        let mut push = vec!["RPUSH", "same"];
        push.resize(2 + times, "a");
        server.ask(client, &["DEL", "same"]);
        server.ask(client, &push);
        let reply = server.ask_words(client, "SORT same ALPHA BY w_*");
        assert_eq!(reply != REFUSED, fits, "{times} times the element");
    }
}

#[test]
fn queues_of_transactions_are_freed_where_nobody_waits() {
    let large = "x".repeat(8 << 20);
    let ways: [(&str, &[&[&str]]); 6] = [
        ("discarded", &[&["DISCARD"]]),
        ("run", &[&["EXEC"]]),
        ("reset", &[&["RESET"]]),
        ("refused", &[&["nosuchcommand"], &["EXEC"]]),
        ("refused for its arguments", &[&["EXEC", "now"]]),
        ("left by a client that goes", &[]),
    ];
    for (way, ends) in ways {
        let mut server = Server::new();
        let client = server.connect();
        server.ask(client, &["MULTI"]);
        assert_eq!(server.ask(client, &["ECHO", &large]), "+QUEUED\r\n");
        assert!(!server.engine.has_dropped(), "{way}");
        for words in ends {
            server.ask(client, words);
        }
        if ends.is_empty() {
            server.engine.disconnect(client);
        }
        let bytes = server.engine.dropped_bytes();
        assert!(bytes >= large.len() as u64, "{way}: {bytes}");
        assert_eq!(server.engine.take_dropped().len(), 1, "{way}");
    }
}

#[test]
fn watched_keys_and_requests_that_wait_are_freed_where_nobody_waits() {
    /// How what a client has ends, while another client is there.
    type Ending = fn(&mut Server, SessionId, SessionId);
    const GOES: Ending = |server, client, _| server.engine.disconnect(client);
    const LATER: Ending = |server, _, _| {
        server.now.mono = server.now.mono.plus(1001);
        server.engine.end_what_is_due(server.now);
    };
    const UNBLOCKED: Ending = |server, client, other| {
        let unblocked = server.ask(other, &["CLIENT", "UNBLOCK", &client.client.to_string()]);
        assert_eq!(unblocked, ":1\r\n");
    };
    const UNPAUSED: Ending = |server, _, other| {
        assert_eq!(server.ask(other, &["CLIENT", "UNPAUSE"]), "+OK\r\n");
    };
    let large = &*"x".repeat(8 << 20);
    let watch: &[&str] = &["WATCH", large];
    let read: &[&str] = &["XREAD", "BLOCK", "1000", "STREAMS", large, "$"];
    let hold: &[&str] = &["APPEND", "k", large];
    let ways: [(&str, &[&str], Ending); 11] = [
        ("watched by one that goes", watch, GOES),
        ("watched until UNWATCH", watch, |server, client, _| {
            server.ask(client, &["UNWATCH"]);
        }),
        ("watched until RESET", watch, |server, client, _| {
            server.ask(client, &["RESET"]);
        }),
        ("watched until EXEC", watch, |server, client, _| {
            server.ask(client, &["MULTI"]);
            assert_eq!(server.ask(client, &["EXEC"]), "*0\r\n");
        }),
        ("watched until a wrong EXEC", watch, |server, client, _| {
            server.ask(client, &["EXEC", "now"]);
        }),
        ("waited for by one that goes", read, GOES),
        ("waited for until it is too late", read, LATER),
        ("waited for until UNBLOCK", read, UNBLOCKED),
        ("held for one that goes", hold, GOES),
        ("held until the end of the pause", hold, LATER),
        ("held until UNPAUSE", hold, UNPAUSED),
    ];
    for (way, request, end) in ways {
        let mut server = Server::new();
        let (client, other) = (server.connect(), server.connect());
        if request == hold {
            server.ask(other, &["CLIENT", "PAUSE", "1000", "WRITE"]);
        }
        let reply = server.ask(client, request);
        let at_once = if request == watch { "+OK\r\n" } else { "" };
        assert_eq!(reply, at_once, "{way}");
        let memory = server.engine.server.sessions.find(client);
        let memory = memory.map_or(0, |session| session.memory_bytes());
        assert!(memory >= large.len(), "{way}: {memory}");
        assert!(!server.engine.has_dropped(), "{way}");
        end(&mut server, client, other);
        let bytes = server.engine.dropped_bytes();
        assert!(bytes >= large.len() as u64, "{way}: {bytes}");
        assert_eq!(server.engine.take_dropped().len(), 1, "{way}");
        let memory = server.engine.server.sessions.find(client);
        assert!(memory.is_none_or(|session| session.memory_bytes() < large.len()));
    }
}

#[test]
fn clients_that_go_are_not_remembered_until_the_pause_ends() {
    let mut server = Server::new();
    let other = server.connect();
    server.ask(other, &["CLIENT", "PAUSE", "1000", "WRITE"]);
    let last = server.connect();
    for _ in 0..MANY {
        let client = server.connect();
        server.ask(client, &["SET", "gone", "1"]);
        server.engine.disconnect(client);
    }
    server.ask(last, &["SET", "there", "1"]);
    let held = format!("{:?}", server.engine.server.pause);
    assert!(held.len() < 100 * MANY / 10, "{}", held.len());
    server.ask(other, &["CLIENT", "UNPAUSE"]);
    assert_eq!(server.ask(other, &["EXISTS", "gone", "there"]), ":1\r\n");
}

#[test]
fn a_transaction_leaves_behind_no_more_versions_of_a_value_than_a_reply_may_copy() {
    const VALUE_BYTES: usize = 256 << 20;
    let last = (VALUE_BYTES - 1).to_string();
    let rounds: [&[&[&str]]; 2] = [
        &[&["SETRANGE", "k", &last, "x"], &["GET", "k"]],
        &[
            &["SETRANGE", "k", &last, "x"],
            &["GETRANGE", "k", "0", "99999"],
            &["UNLINK", "k"],
        ],
    ];
    for round in rounds {
        for (count, fits) in [(2, true), (6, false)] {
            let mut server = Server::new();
            let client = server.connect();
            server.ask(client, &["MULTI"]);
            for words in (0..count).flat_map(|_| round) {
                assert_eq!(server.ask(client, words), "+QUEUED\r\n");
            }
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = reply.begin_part(usize::MAX);
            let argv: ArgvBuf = ["EXEC"].into_iter().collect();
            let _ = server
                .engine
                .request(client, argv.as_argv(), server.now, &mut reply);
            assert_eq!(reply.is_overrun(), !fits, "{count} times {round:?}");
        }
    }
}
