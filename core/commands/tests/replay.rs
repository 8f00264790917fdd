//! What the log holds is taken in again, whatever it is, and means what it meant: it was
//! acknowledged.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::SEEN_UNLOGGED_MS_MAX;
use engine::store::log::Journalling;
use engine::{Author, Engine, Lsn, Mono, Now};
use resp::{ArgvBuf, Limits, Protocol, Reply};

/// A server, one client of it, and its clock.
struct Node {
    engine: Engine,
    session: SessionId,
    now: Now,
}

impl Node {
    /// A server whose new streams keep idempotent IDs for this many seconds.
    fn new(duration_s: u32) -> Node {
        let mut settings = Settings::default();
        settings
            .set("stream-idmp-duration", &duration_s.to_string())
            .unwrap();
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(settings, 7, now, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), now);
        Node {
            engine,
            session,
            now,
        }
    }

    fn ask(&mut self, argv: &[&[u8]]) -> Vec<u8> {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = argv.iter().collect();
        let _ = self
            .engine
            .request(self.session, argv.as_argv(), self.now, &mut reply);
        reply.into_bytes()
    }

    fn ask_words(&mut self, request: &str) -> String {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        String::from_utf8(self.ask(&words)).unwrap()
    }

    /// A server with other settings that was given what this one has logged.
    fn replayed(&mut self, duration_s: u32, author: Author) -> Node {
        let other = self.replayed_too(duration_s, author);
        self.engine.effects_taken();
        other
    }

    /// The same, of which others can be made later.
    fn replayed_too(&mut self, duration_s: u32, author: Author) -> Node {
        let mut other = Node::new(duration_s);
        let mut replay = other.engine.begin_replay(other.now);
        let effects = self.engine.log().encoded().to_vec();
        other.engine.replay(&mut replay, &effects, author).unwrap();
        other
            .engine
            .end_replay(replay, Lsn::new(1), Journalling::On);
        other
    }
}

/// What Valkey 9.1 dumps of a stream with one entry, 1-1, without version and checksum: a type that
/// knows nothing of idempotent IDs.
const OLD_STREAM: &[u8] = &[
    0x15, 0x01, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x1d, 0x1d, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x01, 0x01, 0x00, 0x01, 0x01, 0x01,
    0x81, 0x66, 0x02, 0x00, 0x01, 0x02, 0x01, 0x00, 0x01, 0x00, 0x01, 0x81, 0x76, 0x02, 0x04, 0x01,
    0xff, 0x01, 0x01, 0x01, 0x01, 0x01, 0x00, 0x00, 0x01, 0x00,
];

#[test]
fn a_stream_keeps_the_retention_that_it_was_made_with() {
    let payload = rdb::sign(OLD_STREAM.to_vec());
    let makers: [&[&[u8]]; 5] = [
        &[b"XADD", b"s", b"1-1", b"f", b"v"],
        &[b"XADD", b"s", b"IDMP", b"p", b"i", b"*", b"f", b"v"],
        &[b"XADD", b"s", b"IDMPAUTO", b"p", b"*", b"f", b"v"],
        &[b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"],
        &[b"RESTORE", b"s", b"0", &payload],
    ];
    for maker in makers {
        let mut node = Node::new(3600);
        node.ask(maker);
        let before = node.ask_words("XINFO STREAM s FULL");
        assert!(before.contains("idmp-duration\r\n:3600\r\n"), "{before}");
        // Whatever the settings are when it is read.
        let mut replayed = node.replayed(55, Author::Weir);
        assert_eq!(replayed.ask_words("XINFO STREAM s FULL"), before);
        // A retry, if it is one, is still known.
        let retry = node.ask(maker);
        assert_eq!(replayed.ask(maker), retry);
        // A stream that is made now takes the settings of now.
        replayed.ask_words("XADD new 1-1 f v");
        let new = replayed.ask_words("XINFO STREAM new");
        assert!(new.contains("idmp-duration\r\n:55\r\n"), "{new}");
    }
}

#[test]
fn a_stream_of_the_default_retention_costs_no_more_words() {
    let mut node = Node::new(100);
    node.ask_words("XADD s 1-1 f v");
    let said = String::from_utf8(node.engine.effects().to_vec()).unwrap();
    assert!(
        !said.contains("XCFGSET") && !said.contains("MULTI"),
        "{said}"
    );
    let mut replayed = node.replayed(55, Author::Weir);
    let stream = replayed.ask_words("XINFO STREAM s");
    assert!(stream.contains("idmp-duration\r\n:100\r\n"), "{stream}");
}

#[test]
fn a_stream_in_a_log_of_redis_takes_the_settings_as_there() {
    let mut node = Node::new(100);
    node.ask_words("XADD s 1-1 f v");
    let mut replayed = node.replayed(55, Author::Other);
    let stream = replayed.ask_words("XINFO STREAM s");
    assert!(stream.contains("idmp-duration\r\n:55\r\n"), "{stream}");
}

#[test]
fn retries_and_reads_of_the_past_are_replayed_to_the_last_field() {
    let ways: [&[&str]; 5] = [
        &["XADD s IDMP p i * f v"],
        &["XADD s IDMPAUTO q * f v", "XADD s IDMPAUTO q * f v"],
        // The remembered entry is gone, and the last ID is below it.
        &["XTRIM s MAXLEN 0", "XSETID s 0-0", "XADD s IDMP p i * f v"],
        &["XREADGROUP GROUP g c STREAMS s 0"],
        &["XCLAIM s g other 0 1-1 JUSTID"],
    ];
    for way in ways {
        let mut node = Node::new(100);
        node.ask_words("XADD s IDMP p i * f v");
        node.ask_words("XGROUP CREATE s g 0");
        node.ask_words("XREADGROUP GROUP g c STREAMS s >");
        for request in way {
            node.now.unix_us += 7_000_000;
            node.now.mono = node.now.mono.plus(7000);
            let reply = node.ask_words(request);
            assert!(!reply.starts_with('-'), "{request}: {reply}");
        }
        let now = node.now;
        let mut replayed = node.replayed(100, Author::Weir);
        replayed.now = now;
        for look in [
            "XINFO STREAM s FULL",
            "XINFO GROUPS s",
            "XINFO CONSUMERS s g",
        ] {
            assert_eq!(replayed.ask_words(look), node.ask_words(look), "{way:?}");
        }
    }
}

/// A request with this many values of `value_bytes` zero bytes each, whose memory nobody has to
/// touch.
fn request(words: &[&str], values: usize, value_bytes: usize) -> Vec<u8> {
    let mut parts = vec![format!("*{}\r\n", words.len() + 2 * values)];
    for word in words {
        parts.push(format!("${}\r\n{word}\r\n", word.len()));
    }
    let head = parts.concat();
    let pair = format!("$1\r\nf\r\n${value_bytes}\r\n");
    let pair_bytes = pair.len() + value_bytes + 2;
    let mut bytes = vec![0; head.len() + values * pair_bytes];
    bytes[..head.len()].copy_from_slice(head.as_bytes());
    for number in 0..values {
        let start = head.len() + number * pair_bytes;
        let end = start + pair_bytes;
        bytes[start..start + pair.len()].copy_from_slice(pair.as_bytes());
        bytes[end - 2..end].copy_from_slice(b"\r\n");
    }
    bytes
}

#[test]
fn an_effect_may_be_longer_than_a_request() {
    let limits = Limits::default();
    // As XADD logs an entry of the longest request: with its ID in place of `*`.
    let bytes = request(
        &["XADD", "none", "NOMKSTREAM", "1795721169515-0"],
        2,
        limits.bulk_bytes_max,
    );
    assert!(bytes.len() > limits.request_bytes_max);
    let mut engine = Engine::new(Settings::default(), 7, Now::default(), &commands::TABLE);
    let mut replay = engine.begin_replay(Now::default());
    engine.replay(&mut replay, &bytes, Author::Weir).unwrap();
    assert_eq!(replay.requests, 1);
}

#[test]
fn counters_and_references_of_groups_come_back_as_they_were() {
    let mut node = Node::new(100);
    let mut ask = |requests: &[&str]| {
        for request in requests {
            node.ask_words(request);
        }
        let asked = ["XINFO STREAM s FULL COUNT 0", "XINFO GROUPS s"];
        let before = asked.map(|request| node.ask_words(request));
        let mut replayed = Node::new(100);
        let mut replay = replayed.engine.begin_replay(replayed.now);
        let effects = node.engine.effects().to_vec();
        replayed
            .engine
            .replay(&mut replay, &effects, Author::Weir)
            .unwrap();
        replayed
            .engine
            .end_replay(replay, Lsn::new(1), Journalling::On);
        assert_eq!(asked.map(|request| replayed.ask_words(request)), before);
        before
    };
    ask(&[
        "XADD s 1-1 f v",
        "XADD s 1-2 f v",
        "XADD s 1-3 f v",
        "XADD s 1-4 f v",
        "XADD s 1-5 f v",
        "XADD s 1-6 f v",
        "XGROUP CREATE s g 0",
        "XGROUP CREATE s h 1-2 ENTRIESREAD 6",
        "XREADGROUP GROUP g a COUNT 5 STREAMS s >",
        // More than was added, if each counted.
        "XREADGROUP GROUP h a COUNT 2 STREAMS s >",
        "XDEL s 1-1 1-4",
    ]);
    let [_, groups] = ask(&["XREADGROUP GROUP g b CLAIM 0 COUNT 1 STREAMS s >"]);
    assert!(groups.contains("pending\r\n:4\r\n"), "{groups}");
    // Only references go.
    let [_, groups] = ask(&["XDEL s 1-2", "XTRIM s MINID 1-3 DELREF"]);
    assert!(groups.contains("pending\r\n:3\r\n"), "{groups}");
    let [_, groups] = ask(&["XCLAIM s g a 0 1-3 LASTID 1-6"]);
    assert!(
        groups.contains("entries-read\r\n:6\r\n$3\r\nlag\r\n:0\r\n"),
        "{groups}"
    );
    let [_, groups] = ask(&["XTRIM s MAXLEN 1", "XSETID s 9-0 ENTRIESADDED 1"]);
    assert!(
        groups.contains("entries-read\r\n:1\r\n$3\r\nlag\r\n:0\r\n"),
        "{groups}"
    );
    ask(&["XADD s MAXLEN 0 DELREF 10-0 f v"]);
}

/// A server that was given these requests of a file of Redis, a line each.
fn loaded(lines: &[&str]) -> Node {
    let mut node = Node::new(100);
    let mut bytes = Vec::new();
    for line in lines {
        if line.starts_with('#') {
            bytes.extend(format!("{line}\r\n").bytes());
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).bytes());
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
        }
    }
    let mut replay = node.engine.begin_replay(node.now);
    let replayed = node.engine.replay(&mut replay, &bytes, Author::Other);
    replayed.unwrap();
    let left_out = node.engine.end_replay(replay, Lsn::new(1), Journalling::On);
    assert!(left_out.is_empty());
    node
}

#[test]
fn times_that_a_file_of_redis_does_not_tell_are_that_of_the_load() {
    let requests = [
        "XADD s 1-1 f v",
        "XGROUP CREATE s g 0",
        "XCLAIM s g a 0 1-1 TIME 1789999999000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
        "XGROUP CREATECONSUMER s g b",
        "XGROUP CREATECONSUMER s g c",
        "SET k v",
        "EXPIRE k 100",
    ];
    let mut node = loaded(&requests);
    let consumers = node.ask_words("XINFO CONSUMERS s g");
    let idle = consumers.matches("idle\r\n:0\r\n").count();
    assert_eq!(idle, 3, "{consumers}");
    let active = "inactive\r\n:0\r\n";
    assert_eq!(consumers.matches(active).count(), 1, "{consumers}");
    let pending = node.ask_words("XPENDING s g - + 1");
    assert!(pending.contains(":1000\r\n:1\r\n"), "{pending}");
    assert_eq!(node.ask_words("TTL k"), ":100\r\n");
    assert_eq!(node.ask_words("OBJECT IDLETIME k"), ":0\r\n");

    // What it tells counts.
    let mut node = loaded(&[&["#TS:1789999990"], &requests[..]].concat());
    let consumers = node.ask_words("XINFO CONSUMERS s g");
    let idle = consumers.matches("idle\r\n:10000\r\n").count();
    assert_eq!(idle, 3, "{consumers}");
    assert_eq!(node.ask_words("TTL k"), ":90\r\n");
}

#[test]
fn idempotent_ids_of_a_file_of_redis_age_from_their_entries() {
    // The load is at 1790000000000, and they are kept for 100 seconds.
    let mut node = loaded(&[
        "XADD s IDMP p young 1789999950000-0 f v",
        "XADD s IDMP p ahead 1790000900000-0 f v",
    ]);
    let duplicates = |node: &mut Node| {
        node.ask_words("XADD s IDMP p young * f v");
        node.ask_words("XADD s IDMP p ahead * f v");
        let stream = node.ask_words("XINFO STREAM s");
        let (_, rest) = stream.split_once("iids-duplicates\r\n:").unwrap();
        rest.split("\r\n").next().unwrap().to_owned()
    };
    assert_eq!(duplicates(&mut node), "2");
    node.now.unix_us += 60_000_000;
    node.now.mono = Mono(60_000_000);
    assert_eq!(duplicates(&mut node), "3", "the young one is gone");
    node.now.unix_us += 60_000_000;
    node.now.mono = Mono(120_000_000);
    assert_eq!(
        duplicates(&mut node),
        "4",
        "and now the other, which is known again"
    );
}

/// How long ago a consumer called last, in milliseconds.
fn idle_ms(node: &mut Node, consumer: &str) -> u64 {
    let reply = node.ask_words("XINFO CONSUMERS s g");
    let lines: Vec<&str> = reply.split("\r\n").collect();
    let at = lines.iter().position(|line| *line == consumer).unwrap();
    let idle = lines[at..].iter().position(|line| *line == "idle").unwrap();
    lines[at + idle + 1]
        .trim_start_matches(':')
        .parse()
        .unwrap()
}

#[test]
fn a_consumer_that_polls_in_vain_was_seen_lately_after_a_restart() {
    const POLL_MS: u64 = 700;
    let mut node = Node::new(100);
    node.ask_words("XGROUP CREATE s g $ MKSTREAM");
    node.ask_words("XREADGROUP GROUP g gone STREAMS s >");
    let mut logged = 0;
    for _ in 0..200 {
        node.now.unix_us += POLL_MS as i64 * 1000;
        node.now.mono = Mono(node.now.mono.0 + POLL_MS);
        for poll in [
            "XREADGROUP GROUP g polls STREAMS s >",
            "XREADGROUP GROUP g blocks BLOCK 1 STREAMS s >",
            "XAUTOCLAIM s g claims 0 0",
            "XCLAIM s g takes 0 1-1",
        ] {
            node.ask_words(poll);
            node.engine.timer(Now {
                mono: Mono(node.now.mono.0 + 1),
                ..node.now
            });
        }
        let mut other = node.replayed_too(100, Author::Weir);
        other.now = node.now;
        for consumer in ["polls", "blocks", "claims", "takes"] {
            assert!(idle_ms(&mut node, consumer) <= 1, "{consumer}");
            let idle = idle_ms(&mut other, consumer);
            assert!(idle < SEEN_UNLOGGED_MS_MAX, "{consumer}: {idle} ms");
        }
        let gone = idle_ms(&mut node, "gone");
        assert!(idle_ms(&mut other, "gone").abs_diff(gone) < SEEN_UNLOGGED_MS_MAX);
        logged = node.engine.log().last().number();
    }
    // Not each call: 800 of them, and 14 spans of time.
    assert!((14 * 4..16 * 4 + 10).contains(&logged), "{logged} batches");
}

#[test]
fn deadlines_of_fields_are_replayed_as_they_were_lived() {
    let mut node = Node::new(100);
    let at = |node: &mut Node, ms: i64, request: &str| {
        node.now.unix_us += ms * 1000;
        let reply = node.ask_words(request);
        assert!(!reply.starts_with('-'), "{request}: {reply}");
    };
    at(&mut node, 0, "HSET h a 1 b 2 c 3 d 4 e 5 f 6");
    at(&mut node, 0, "HPEXPIRE h 50 FIELDS 3 a b c");
    at(&mut node, 0, "HPEXPIRE h 5000 FIELDS 2 d e");
    at(&mut node, 0, "HSETEX h PX 6000 FIELDS 2 g 7 h 8");
    at(&mut node, 0, "HINCRBY h d 5");
    // Two of them are met, and one is not.
    at(&mut node, 60, "HSET h a new");
    at(&mut node, 0, "HINCRBY h b 5");
    at(&mut node, 0, "HSETEX h KEEPTTL FIELDS 2 e 9 c 3");
    at(&mut node, 0, "HGETEX h PX 7000 FIELDS 1 f");
    at(&mut node, 0, "HPERSIST h FIELDS 1 g");
    at(&mut node, 0, "HGETDEL h FIELDS 1 h");
    at(&mut node, 0, "HSETEX all PX 10 FIELDS 2 x 1 y 2");
    at(&mut node, 20, "HSET all x 3");
    at(&mut node, 0, "HSETEX past PXAT 1 FIELDS 1 x 1");
    at(&mut node, 0, "HSETEX later PX 10 FIELDS 2 x 1 y 2");
    // What is over, and was not met, is still there after the replay, and hidden there too.
    node.now.unix_us += 20_000;
    let mut replayed = node.replayed(100, Author::Weir);
    replayed.now = node.now;
    for request in [
        "HGETALL h",
        "HPEXPIRETIME h FIELDS 8 a b c d e f g h",
        "HGETALL all",
        "HPEXPIRETIME all FIELDS 2 x y",
        "EXISTS past later",
        "HLEN later",
        "DBSIZE",
        "INFO keyspace",
    ] {
        assert_eq!(
            replayed.ask_words(request),
            node.ask_words(request),
            "{request}"
        );
    }
}
