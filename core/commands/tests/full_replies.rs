//! A reply that is larger than its client may have is not built to its end: a command that only
//! reads stops, and one that changes something does all of it without writing on. The work is
//! counted in bytes that were written for nobody.

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::{Engine, Mono, Now};
use resp::{ArgvBuf, Protocol, RUN_STEP_BYTES, Reply};

/// A server without a log.
struct Server {
    engine: Engine,
    client: SessionId,
    now: Now,
}

impl Server {
    fn new() -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        let debugging = settings.set("enable-debug-command", "yes");
        assert_eq!(debugging, Ok(()));
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), now);
        Server {
            engine,
            client,
            now,
        }
    }

    fn ask<A: AsRef<[u8]>>(&mut self, argv: &[A], reply: &mut Reply) {
        let argv: ArgvBuf = argv.iter().map(AsRef::as_ref).collect();
        let _ = self
            .engine
            .request(self.client, argv.as_argv(), self.now, reply);
    }

    fn text<A: AsRef<[u8]>>(&mut self, argv: &[A]) -> String {
        let mut reply = Reply::new(Protocol::Resp2);
        self.ask(argv, &mut reply);
        String::from_utf8_lossy(&reply.into_bytes()).into_owned()
    }

    fn words(&mut self, request: &str) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        self.text(&words)
    }
}

/// What a client may have,
const BYTES_MAX: usize = 10_000;
/// what is written at most before it is noticed that this is more,
const DROPPED_BYTES_MAX: usize = 400_000;
/// and what a whole reply has at least.
const WHOLE_BYTES_MIN: usize = 600_000;

/// Entries of the stream `s`.
const ENTRIES: usize = 25_000;

fn with_stream(server: &mut Server) {
    let value = "v".repeat(100);
    for ms in 1..=ENTRIES {
        server.text(&["XADD", "s", &ms.to_string(), "f", &value]);
    }
}

fn with_pending(server: &mut Server) {
    with_stream(server);
    server.words("XGROUP CREATE s g 0");
    server.words("XREADGROUP GROUP g a STREAMS s >");
}

fn with_consumers(server: &mut Server) {
    server.words("XGROUP CREATE s g 0 MKSTREAM");
    for number in 0..ENTRIES {
        server.words(&format!("XADD s {} f v", number + 1));
        server.words(&format!(
            "XREADGROUP GROUP g consumer:{number} COUNT 1 STREAMS s >"
        ));
    }
}

fn with_groups(server: &mut Server) {
    for number in 0..ENTRIES {
        server.words(&format!("XGROUP CREATE s group:{number} 0 MKSTREAM"));
    }
}

fn with_keys(server: &mut Server) {
    for number in 0..ENTRIES {
        server.text(&["SET", &format!("key:{number}:{}", "k".repeat(60)), "v"]);
    }
}

fn with_fields(server: &mut Server) {
    for number in 0..ENTRIES {
        let (field, value) = (format!("field:{number}"), "v".repeat(60));
        server.text(&[
            "HSET",
            "h",
            &field,
            &value,
            &format!("other:{number}:{value}"),
            "v",
        ]);
    }
}

fn with_members(server: &mut Server) {
    for number in 0..ENTRIES {
        server.text(&["SADD", "s", &format!("member:{number}:{}", "m".repeat(60))]);
    }
}

fn with_scores(server: &mut Server) {
    for number in 0..ENTRIES {
        let member = format!("member:{number}:{}", "m".repeat(60));
        server.text(&["ZADD", "z", &number.to_string(), &member]);
    }
}

fn with_a_string(server: &mut Server) {
    server.text(&["SET", "k", &"v".repeat(400)]);
}

/// A list with one element many times, which names a key.
fn with_list_of_one(server: &mut Server) {
    server.text(&["SET", "k", &"v".repeat(400)]);
    let mut push = one("RPUSH l");
    push.extend(std::iter::repeat_n("k".to_owned(), ENTRIES));
    let push: Vec<&str> = push.iter().map(String::as_str).collect();
    server.text(&push);
}

fn with_slow_requests(server: &mut Server) {
    server.words("CONFIG SET slowlog-max-len 100000 slowlog-log-slower-than 0");
    for number in 0..ENTRIES {
        let value = format!("{number}:{}", "v".repeat(100));
        let argv: ArgvBuf = ["SET", "k", &value].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let (client, now) = (server.client, server.now);
        let _ = server
            .engine
            .request(client, argv.as_argv(), now, &mut reply);
        let last = Some((client, argv.as_argv()));
        server.engine.measured(last, 1_000_000, now);
    }
}

fn nothing(_: &mut Server) {}

/// A request whose last word comes many times.
fn many(words: &str) -> Vec<String> {
    let mut argv: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let last = argv.last().cloned().unwrap_or_default();
    argv.resize(argv.len() + ENTRIES, last);
    argv
}

fn one(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn streams(words: &str) -> Vec<String> {
    let mut argv = one(words);
    argv.extend(std::iter::repeat_n("s".to_owned(), 100));
    argv.extend(std::iter::repeat_n("0".to_owned(), 100));
    argv
}

type Reading = (fn(&mut Server), Vec<String>);

/// At least one of each family whose replies grow with data or arguments.
fn reading() -> Vec<Reading> {
    vec![
        (with_stream, one("XRANGE s - +")),
        (with_stream, one("XREVRANGE s + -")),
        (with_stream, one("XREAD STREAMS s 0")),
        (with_stream, streams("XREAD COUNT 100 STREAMS")),
        (with_stream, one("XREAD MAXSIZE 100000000 STREAMS s 0")),
        (with_stream, one("XINFO STREAM s FULL COUNT 0")),
        (with_pending, one("XPENDING s g - + 1000000")),
        (with_pending, one("XPENDING s g - + 1000000 a")),
        (with_pending, one("XPENDING s g IDLE 0 - + 1000000")),
        (with_pending, one("XINFO STREAM s FULL COUNT 0")),
        (with_consumers, one("XPENDING s g")),
        (with_consumers, one("XINFO CONSUMERS s g")),
        (with_consumers, one("XINFO STREAM s FULL COUNT 0")),
        (with_groups, one("XINFO GROUPS s")),
        (with_groups, one("XINFO STREAM s FULL")),
        (with_keys, one("KEYS *")),
        (with_keys, one("SCAN 0 COUNT 1000000")),
        (with_a_string, many("MGET k")),
        (with_fields, one("HGETALL h")),
        (with_fields, one("HKEYS h")),
        (with_fields, one("HVALS h")),
        (with_fields, many("HMGET h field:1")),
        (with_members, one("SMEMBERS s")),
        (with_members, one("SINTER s s")),
        (with_members, one("SUNION s none")),
        (with_members, one("SDIFF s none")),
        (with_members, one("SRANDMEMBER s 24000")),
        (with_members, one("SRANDMEMBER s -100000")),
        (with_members, one("SSCAN s 0 COUNT 1000000")),
        (with_members, one("SORT s ALPHA")),
        (with_members, one("SORT s BY nosort GET # GET none_*")),
        (with_list_of_one, one("SORT l BY nosort GET *")),
        (with_scores, one("ZRANGE z 0 -1")),
        (with_scores, one("ZSCAN z 0 COUNT 1000000")),
        (with_a_string, many("DEBUG DIGEST-VALUE k")),
        (nothing, many("COMMAND INFO xadd")),
        (nothing, many("COMMAND DOCS xadd")),
        (nothing, many("COMMAND GETKEYSANDFLAGS MGET k")),
        (nothing, many("CLIENT LIST ID 1")),
        (with_slow_requests, one("SLOWLOG GET -1")),
    ]
}

#[test]
fn what_only_reads_stops_when_its_reply_is_full() {
    for (fill, argv) in reading() {
        let name: Vec<&str> = argv.iter().take(8).map(String::as_str).collect();
        let name = name.join(" ");
        let mut server = Server::new();
        fill(&mut server);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut whole = Reply::new(protocol);
            server.ask(&argv, &mut whole);
            assert!(whole.len() > WHOLE_BYTES_MIN, "{name}: {}", whole.len());

            let mut reply = Reply::new(protocol);
            reply.ok();
            let _ = reply.begin_part(BYTES_MAX);
            server.ask(&argv, &mut reply);
            assert!(reply.is_full(), "{name}");
            let dropped = reply.dropped();
            assert!(dropped < DROPPED_BYTES_MAX, "{name}: {dropped} in vain");
            assert_eq!(reply.into_bytes(), b"+OK\r\n");
        }
    }
}

/// Requests that give all entries to the consumer `b`, or repeat what it has, with the lengths of
/// the parts of the reply before the entries and behind them.
fn claiming() -> Vec<(Vec<String>, usize, usize)> {
    let mut ids: Vec<String> = (1..=ENTRIES).map(|ms| format!("{ms}-0")).collect();
    let mut claim = one("XCLAIM s g b 0");
    claim.append(&mut ids);
    let stream_head = b"*1\r\n*2\r\n$1\r\ns\r\n".len();
    vec![
        (claim, 0, 0),
        (
            one("XAUTOCLAIM s g b 0 - COUNT 1000000"),
            b"*3\r\n$3\r\n0-0\r\n".len(),
            b"*0\r\n".len(),
        ),
        (one("XREADGROUP GROUP g b STREAMS s 0"), stream_head, 0),
        (
            one("XREADGROUP GROUP g b MAXSIZE 100000000 STREAMS s 0"),
            stream_head,
            0,
        ),
    ]
}

#[test]
fn what_is_claimed_is_referred_to_and_stays_as_it_was() {
    let mut server = Server::new();
    with_pending(&mut server);
    let expected = server.words("XRANGE s - +");
    let replies = claiming().into_iter().map(|(argv, head, tail)| {
        let mut reply = Reply::new(Protocol::Resp2);
        server.ask(&argv, &mut reply);
        assert!(reply.has_pieces());
        // Some are written at once; of the others there is an ID and what it takes to tell of it.
        assert!(reply.copied() < WHOLE_BYTES_MIN * 3, "{}", reply.copied());
        (argv, reply, head, tail)
    });
    let replies: Vec<_> = replies.collect();
    server.words("XTRIM s MAXLEN 0");
    for (argv, reply, head, tail) in replies {
        let bytes = reply.into_bytes();
        let entries = bytes.get(head..bytes.len() - tail);
        assert!(entries == Some(expected.as_bytes()), "{:?}", argv.get(..4));
    }
}

#[test]
fn what_a_stream_was_counts_where_only_a_reply_has_it() {
    let mut server = Server::new();
    with_pending(&mut server);
    let stream_bytes = ENTRIES * 100;
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = reply.begin_part(usize::MAX);
    let requests = [
        "XRANGE s - +",
        "XREVRANGE s + -",
        "XREADGROUP GROUP g a STREAMS s 0",
        "XRANGE s - +",
    ];
    for request in requests {
        server.ask(&one(request), &mut reply);
        assert_eq!(reply.left_behind(), 0, "{request}");
    }
    // The rest of the stream still is what it was.
    server.words(&format!("XDEL s {}-0", ENTRIES / 2));
    let little = reply.left_behind();
    assert!((1..100_000).contains(&little), "{little}");
    let mut later = Reply::new(Protocol::Resp2);
    let _ = later.begin_part(usize::MAX);
    server.ask(&one("XRANGE s - +"), &mut later);
    server.words("DEL s");
    drop(server.engine.take_dropped());
    // The other reply has most of it too, but not the little.
    assert_eq!(reply.left_behind(), little);
    drop(later);
    let all = reply.left_behind();
    assert!((stream_bytes..stream_bytes * 2).contains(&all), "{all}");
}

#[test]
fn a_reply_is_full_when_it_alone_has_too_much_of_what_streams_were() {
    const COPIED_BYTES_MAX: usize = 160 << 20;
    const STREAM_BYTES: usize = 16 << 20;
    let value = "v".repeat(4000);
    let mut server = Server::new();
    let mut reply = Reply::with_copied_max(Protocol::Resp2, COPIED_BYTES_MAX);
    let _ = reply.begin_part(usize::MAX);
    let (mut rounds, mut left_behind) = (0, 0);
    while !reply.is_full() {
        left_behind = reply.left_behind();
        assert!(left_behind < 2 * COPIED_BYTES_MAX, "{left_behind}");
        for ms in 1..=STREAM_BYTES / value.len() {
            server.text(&["XADD", "s", &ms.to_string(), "f", &value]);
        }
        server.ask(&one("XRANGE s - +"), &mut reply);
        server.words("DEL s");
        rounds += 1;
    }
    // Before, there was less than it may have, or what was found when it was last looked at.
    assert!(rounds >= COPIED_BYTES_MAX / STREAM_BYTES, "{rounds}");
    assert!(left_behind > COPIED_BYTES_MAX / 2, "{left_behind}");
    assert!(reply.is_empty());
}

#[test]
fn rows_of_commands_are_written_when_they_are_sent() {
    for (words, per_name) in [("COMMAND INFO xadd", 1), ("COMMAND DOCS xadd", 2)] {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut server = Server::new();
            let mut single = Reply::new(protocol);
            server.ask(&one(words), &mut single);
            let single = String::from_utf8(single.into_bytes()).unwrap();
            let (_, row) = single.split_once("\r\n").unwrap();

            let mut reply = Reply::new(protocol);
            server.ask(&many(words), &mut reply);
            assert!(reply.has_pieces());
            let copied = reply.copied();
            // Some rows are written at once; of the others it has what says which they are.
            let known = 16 * ENTRIES;
            assert!(copied < 2 * RUN_STEP_BYTES + known, "{words}: {copied}");
            let text = String::from_utf8(reply.into_bytes()).unwrap();
            let (head, rows) = text.split_once("\r\n").unwrap();
            let count = ENTRIES + 1;
            let len = match protocol {
                Protocol::Resp3 => count,
                Protocol::Resp2 => per_name * count,
            };
            assert_eq!(head.get(1..), Some(len.to_string().as_str()));
            assert!(rows == row.repeat(count), "{words}");
        }
    }
}

#[test]
fn entries_of_the_slow_log_are_written_when_they_are_sent() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut server = Server::new();
        with_slow_requests(&mut server);
        let mut reply = Reply::new(protocol);
        server.ask(&one("SLOWLOG GET -1"), &mut reply);
        assert!(reply.has_pieces());
        // It counts as much as it keeps.
        assert!(reply.copied() > WHOLE_BYTES_MIN, "{}", reply.copied());
        // What was forgotten since is shown all the same.
        server.words("SLOWLOG RESET");
        let text = String::from_utf8(reply.into_bytes()).unwrap();
        assert!(text.starts_with(&format!("*{ENTRIES}\r\n*6\r\n:{}\r\n", ENTRIES - 1)));
        assert_eq!(text.matches("$3\r\nSET\r\n").count(), ENTRIES);
    }
}

#[test]
fn what_changes_something_does_all_of_it_when_its_reply_is_full() {
    let claiming = claiming().into_iter().map(|(argv, ..)| argv);
    let idle = one("XREADGROUP GROUP g b CLAIM 0 STREAMS s >");
    for argv in claiming.take(2).chain([idle]) {
        let mut server = Server::new();
        with_pending(&mut server);
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = reply.begin_part(BYTES_MAX);
        server.ask(&argv, &mut reply);
        assert!(reply.is_full() && reply.is_empty());
        assert!(reply.dropped() < DROPPED_BYTES_MAX, "{}", reply.dropped());
        let summary = server.words("XPENDING s g");
        let all_of_b = format!("*1\r\n*2\r\n$1\r\nb\r\n$5\r\n{ENTRIES}\r\n");
        assert!(summary.ends_with(&all_of_b), "{summary}");
    }
}

/// The reply of one stream with the first entries, each with `past` behind its fields. As many as
/// `size` bytes hold, of which `head` bytes come before the entries.
fn first_entries(head: usize, past: &str, size: usize) -> String {
    let value = "v".repeat(100);
    let len = if past.is_empty() { 2 } else { 4 };
    let (mut bytes, mut count, mut entries) = (head, 0, String::new());
    for ms in 1..=ENTRIES {
        let id = format!("{ms}-0");
        let entry = format!(
            "*{len}\r\n${}\r\n{id}\r\n*2\r\n$1\r\nf\r\n$100\r\n{value}\r\n{past}",
            id.len()
        );
        bytes += entry.len();
        // The first is given in any case.
        if count > 0 && bytes > size {
            break;
        }
        entries += &entry;
        count += 1;
    }
    format!("*1\r\n*2\r\n$1\r\ns\r\n*{count}\r\n{entries}")
}

#[test]
fn a_size_is_kept_to_the_byte_whether_entries_are_copied_or_referred_to() {
    // The header of the entries is written last, and does not count; the reply's does where it is
    // written first.
    let (stream, whole) = (b"*2\r\n$1\r\ns\r\n".len(), b"*1\r\n*2\r\n$1\r\ns\r\n".len());
    for (request, head, past) in [
        ("XREAD MAXSIZE {} STREAMS s 0", stream, ""),
        ("XREADGROUP GROUP g a MAXSIZE {} STREAMS s 0", whole, ""),
        (
            "XREADGROUP GROUP g b MAXSIZE {} CLAIM 0 STREAMS s >",
            whole,
            ":0\r\n:1\r\n",
        ),
        ("XREADGROUP GROUP g c MAXSIZE {} STREAMS s >", whole, ""),
    ] {
        let mut server = Server::new();
        with_stream(&mut server);
        let mut ask = |size: usize| {
            server.words("XGROUP DESTROY s g");
            server.words("XGROUP CREATE s g 0");
            if !request.contains("GROUP g c") {
                server.words("XREADGROUP GROUP g a STREAMS s >");
            }
            server.words(&request.replace("{}", &size.to_string()))
        };
        // Some are all written at once, and of others most are not.
        for about in [1, 1000, 10_000, 100_000, 300_000, 1_000_000] {
            // What these entries take is enough for them, and a byte less is not.
            let expected = first_entries(head, past, about);
            let entries_at = expected.match_indices("\r\n").nth(5).map(|(at, _)| at + 2);
            let exact = head + expected.len() - entries_at.unwrap_or_default();
            for size in [about, exact, exact - 1] {
                let expected = first_entries(head, past, size);
                assert!(ask(size) == expected, "{request} with {size}");
            }
        }
    }
}

#[test]
fn a_reply_copies_as_much_as_it_may_and_not_a_byte_more() {
    let mut server = Server::new();
    with_a_string(&mut server);
    let argv = many("MGET k");
    let whole = server.text(&argv).len();
    for (copied_bytes_max, is_too_much) in [(whole, false), (whole - 1, true)] {
        let mut reply = Reply::with_copied_max(Protocol::Resp2, copied_bytes_max);
        let _ = reply.begin_part(usize::MAX);
        server.ask(&argv, &mut reply);
        assert_eq!(reply.is_full(), is_too_much, "{copied_bytes_max}");
        assert_eq!(reply.len(), if is_too_much { 0 } else { whole });
        let expected = if is_too_much { whole } else { 0 };
        assert_eq!(reply.dropped(), expected);
    }
}
