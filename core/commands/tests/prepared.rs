//! A command that is going to fill much memory waits until it is there, and others do not wait for
//! that.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::delivery::Then;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::limits::PAYLOAD_APART_BYTES_MIN;
use engine::server::{Order, Place};
use engine::{Engine, Mono, Next, Now};
use resp::{ArgvBuf, LARGE_BYTES_MIN, Limits, Parser, Protocol, Reply};
use values::StringValue;

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

/// More than is made without.
const LARGE_BYTES: usize = 9 << 20;

/// A server whose shell makes memory ready.
struct Server {
    engine: Engine,
    session: SessionId,
}

impl Server {
    fn new() -> Server {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        engine.server.shell.prepares = true;
        let session = engine.connect(String::new(), String::new(), NOW);
        Server { engine, session }
    }

    /// The reply to a request, if it does not wait.
    fn ask(&mut self, words: &[&str]) -> Option<String> {
        self.ask_as(self.session, words)
    }

    fn ask_as(&mut self, session: SessionId, words: &[&str]) -> Option<String> {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = words.iter().collect();
        let outcome = self
            .engine
            .request(session, argv.as_argv(), NOW, &mut reply);
        let reply = String::from_utf8_lossy(&reply.into_bytes()).into_owned();
        (outcome.then != Next::Wait).then_some(reply)
    }

    /// Who waits for memory, and how much.
    fn ordered(&mut self) -> Vec<(SessionId, usize)> {
        let orders = self.engine.take_orders().into_iter();
        orders
            .map(|order| match order {
                Order::PrepareMemory { waiting, bytes } => (waiting, bytes),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// Makes memory for the one request that waits for it. Returns where that is, what comes back
    /// of it, and the reply.
    fn prepare(&mut self) -> (*const u8, usize, String) {
        let [(waiting, bytes)] = self.ordered()[..] else {
            panic!("one waits");
        };
        let memory = Vec::with_capacity(bytes);
        let at = memory.as_ptr();
        let rest = self.engine.memory_prepared(waiting, memory, NOW);
        let mut deliveries = self.engine.take_deliveries();
        let delivery = deliveries.pop().unwrap();
        assert!(deliveries.is_empty());
        assert_eq!((delivery.session, delivery.then), (waiting, Then::Resume));
        let reply = delivery.bytes.into_bytes();
        (
            at,
            rest.capacity(),
            String::from_utf8_lossy(&reply).into_owned(),
        )
    }

    fn string(&self, key: &str) -> &StringValue {
        let keyspace = self.engine.keyspace();
        let hash = keyspace.hash(key.as_bytes());
        let record = keyspace.find(0, hash, key.as_bytes()).unwrap();
        record.value().get().unwrap()
    }

    fn starts_at(&self, key: &str) -> *const u8 {
        self.string(key).heap().unwrap().as_ptr()
    }
}

/// A string that is mostly zeros, and large.
fn with_large_string() -> Server {
    let mut server = Server::new();
    let last = (LARGE_BYTES - 1).to_string();
    assert!(server.ask(&["SETRANGE", "a", &last, "x"]).is_some());
    assert!(server.ordered().is_empty());
    server
}

#[test]
fn what_bitop_makes_is_made_in_memory_that_was_there_before() {
    let mut server = with_large_string();
    assert_eq!(server.ask(&["BITOP", "NOT", "d", "a"]), None);
    let (at, rest, reply) = server.prepare();
    assert_eq!((rest, reply), (0, format!(":{LARGE_BYTES}\r\n")));
    assert_eq!(server.starts_at("d"), at);
    let bytes = server.string("d").to_vec();
    assert!(bytes[..LARGE_BYTES - 1].iter().all(|byte| *byte == 0xff));
    assert_eq!(bytes[LARGE_BYTES - 1], !b'x');
    assert_eq!(server.ask(&["PING"]), Some("+PONG\r\n".to_owned()));
}

#[test]
fn a_string_that_grows_or_is_shared_moves_into_memory_that_was_there_before() {
    let tail = "y".repeat(2 << 20);
    let len = LARGE_BYTES + tail.len();
    let place = (LARGE_BYTES - 2).to_string();
    let bit = (8 * (LARGE_BYTES - 2)).to_string();
    let bits = format!("#{}", LARGE_BYTES - 2);
    for (words, reply, end, shared) in [
        (
            vec!["APPEND", "a", &tail],
            format!(":{len}\r\n"),
            'y',
            false,
        ),
        (
            vec!["SETRANGE", "a", &place, "zz"],
            format!(":{LARGE_BYTES}\r\n"),
            'z',
            true,
        ),
        (
            vec!["SETBIT", "a", &bit, "1"],
            ":0\r\n".to_owned(),
            'x',
            true,
        ),
        (
            vec!["BITFIELD", "a", "SET", "u8", &bits, "1"],
            "*1\r\n:0\r\n".to_owned(),
            'x',
            true,
        ),
    ] {
        let mut server = with_large_string();
        if shared {
            assert!(server.ask(&["COPY", "a", "b"]).is_some());
        }
        let mut expected = server.string("a").to_vec();
        assert_eq!(server.ask(&words), None, "{words:?}");
        assert!(server.string("a").to_vec() == expected);
        let (at, rest, answered) = server.prepare();
        assert_eq!((rest, answered), (0, reply), "{}", words[0]);
        assert_eq!(server.starts_at("a"), at);
        let now = server.string("a").to_vec();
        assert_eq!(now.last(), Some(&(end as u8)));
        if shared {
            assert!(server.string("b").to_vec() == expected);
            expected.truncate(LARGE_BYTES - 2);
            assert!(now.starts_with(&expected));
        } else {
            assert!(now.starts_with(&expected) && now.len() == len);
        }
        // In place, nothing is made, so nobody waits.
        assert!(server.ask(&words[..]).is_some() || !shared);
    }
}

#[test]
fn a_large_entry_is_put_into_memory_that_was_there_before() {
    let mut server = Server::new();
    let value = "v".repeat(LARGE_BYTES);
    let words = ["XADD", "s", "1-1", "f", &value];
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes += &format!("${}\r\n{word}\r\n", word.len());
    }
    // A long argument arrives in a buffer of its own.
    let (mut parser, limits) = (Parser::new(), Limits::default());
    let (mut input, mut rest) = (Vec::new(), bytes.as_bytes());
    let request = loop {
        let missing = parser.bytes_missing(input.len()).min(rest.len());
        let (next, then) = rest.split_at(missing);
        rest = then;
        match parser.take_large() {
            Some(mut large) => {
                large.extend_from_slice(next);
                parser.give_back_large(large);
            }
            None => input.extend_from_slice(next),
        }
        match parser.parse(&input, &limits).unwrap() {
            Some(request) => break request.argv.to_owned(),
            None => parser.set_aside(&mut input, LARGE_BYTES_MIN),
        }
    };
    let mut reply = Reply::new(Protocol::Resp2);
    let outcome = server
        .engine
        .request(server.session, request.as_argv(), NOW, &mut reply);
    assert_eq!(outcome.then, Next::Wait);
    let (_, rest, reply) = server.prepare();
    assert_eq!((rest, reply.as_str()), (0, "$3\r\n1-1\r\n"));
    let entries = server.ask(&["XRANGE", "s", "-", "+"]).unwrap();
    assert!(entries.contains(&value) && entries.len() < LARGE_BYTES + 100);
}

/// A server with a list of more than is written with the engine.
fn with_large_list() -> Server {
    let mut server = Server::new();
    let element = "v".repeat(30_000);
    for _ in 0..10 {
        assert!(server.ask(&["RPUSH", "l", &element]).is_some());
    }
    server
}

impl Server {
    /// What the one request that waits for a payload wants.
    fn wanted(&mut self) -> (SessionId, Place) {
        match &self.engine.take_orders()[..] {
            [Order::PreparePayload { waiting, place }] => (*waiting, place.clone()),
            others => panic!("{others:?}"),
        }
    }

    /// Lets the request run with this payload.
    fn answer(&mut self, waiting: SessionId, payload: Option<Vec<u8>>) -> Vec<u8> {
        let rest = self.engine.payload_prepared(waiting, payload, NOW);
        assert!(rest.is_empty());
        let [delivery] = &mut self.engine.take_deliveries()[..] else {
            panic!("one is answered");
        };
        assert_eq!((delivery.session, delivery.then), (waiting, Then::Resume));
        std::mem::take(&mut delivery.bytes).into_bytes()
    }
}

#[test]
fn the_payload_of_a_large_value_is_made_without_the_engine() {
    let mut server = with_large_list();
    assert!(server.ask(&["CONFIG", "RESETSTAT"]).is_some());
    assert_eq!(server.ask(&["DUMP", "l"]), None);
    let (waiting, place) = server.wanted();
    let value = server.engine.value_at(&place, NOW).unwrap();
    let reply = server.answer(waiting, Some(value.payload()));
    // In a transaction it is the same, and made with it.
    for words in [&["MULTI"][..], &["DUMP", "l"]] {
        assert!(server.ask(words).is_some(), "{words:?}");
    }
    let mut alone = Reply::new(Protocol::Resp2);
    let exec: ArgvBuf = ["EXEC"].iter().collect();
    let argv = exec.as_argv();
    let _ = server.engine.request(server.session, argv, NOW, &mut alone);
    assert!(alone.into_bytes().strip_prefix(b"*1\r\n") == Some(&reply));
    assert!(server.engine.take_orders().is_empty());
    // The key was looked up once for each request.
    let stats = server.ask(&["INFO", "stats"]).unwrap();
    assert!(stats.contains("keyspace_hits:2\r\n"), "{stats}");
}

#[test]
fn a_payload_shows_the_value_as_it_was_when_it_was_taken() {
    let mut server = with_large_list();
    assert_eq!(server.ask(&["DUMP", "l"]), None);
    let (waiting, place) = server.wanted();
    let other = server.engine.connect(String::new(), String::new(), NOW);
    assert!(server.ask_as(other, &["RPUSH", "l", "before"]).is_some());
    let value = server.engine.value_at(&place, NOW).unwrap();
    for words in [&["RPUSH", "l", "after"][..], &["DEL", "l"]] {
        assert!(server.ask_as(other, words).is_some());
    }
    let changed = server.engine.log().last();
    let payload = value.payload();
    let _ = server.engine.payload_prepared(waiting, Some(payload), NOW);
    let delivery = server.engine.take_deliveries().pop().unwrap();
    // Nobody learns of what is not durable yet.
    assert!(delivery.depends_on >= changed);
    let reply = delivery.bytes.into_bytes();
    let at = reply.iter().position(|byte| *byte == b'\n').unwrap();
    let payload = &reply[at + 1..reply.len() - 2];
    let mut restored = Reply::new(Protocol::Resp2);
    let words = [&b"RESTORE"[..], b"m", b"0", payload];
    let argv: ArgvBuf = words.iter().collect();
    let _ = server
        .engine
        .request(other, argv.as_argv(), NOW, &mut restored);
    assert_eq!(server.ask_as(other, &["LLEN", "m"]), Some(":11\r\n".into()));
    let last = server.ask_as(other, &["LINDEX", "m", "-1"]);
    assert_eq!(last, Some("$6\r\nbefore\r\n".into()));
}

#[test]
fn a_value_that_goes_before_its_payload_is_made_is_answered_as_missing() {
    let mut server = with_large_list();
    let other = server.engine.connect(String::new(), String::new(), NOW);
    assert_eq!(server.ask(&["DUMP", "l"]), None);
    let (waiting, place) = server.wanted();
    assert!(server.ask_as(other, &["DEL", "l"]).is_some());
    assert!(server.engine.value_at(&place, NOW).is_none());
    assert_eq!(server.answer(waiting, None), b"$-1\r\n");
    // The same once its time is over, whether or not it was removed.
    let mut server = with_large_list();
    assert!(server.ask(&["PEXPIRE", "l", "5"]).is_some());
    assert_eq!(server.ask(&["DUMP", "l"]), None);
    let (_, place) = server.wanted();
    let later = Now {
        unix_us: NOW.unix_us + 6000,
        mono: Mono(6000),
    };
    assert!(server.engine.value_at(&place, NOW).is_some());
    assert!(server.engine.value_at(&place, later).is_none());
    // Who has gone meanwhile gets nothing, and the payload comes back.
    server.engine.disconnect(server.session);
    let rest = server
        .engine
        .payload_prepared(server.session, Some(vec![1]), later);
    assert_eq!(rest, [1]);
    assert!(server.engine.take_deliveries().is_empty());
}

#[test]
fn a_small_payload_is_written_at_once() {
    let mut server = Server::new();
    let string = "v".repeat(PAYLOAD_APART_BYTES_MIN / 2);
    assert!(server.ask(&["SET", "k", &string]).is_some());
    assert!(server.ask(&["DUMP", "k"]).is_some());
    assert!(server.ask(&["APPEND", "k", &string]).is_some());
    assert_eq!(server.ask(&["DUMP", "k"]), None);
}

#[test]
fn what_may_not_wait_runs_without() {
    let mut server = with_large_string();
    for words in [&["MULTI"][..], &["BITOP", "NOT", "d", "a"], &["EXEC"]] {
        assert!(server.ask(words).is_some(), "{words:?}");
    }
    assert!(server.ordered().is_empty());
    assert_eq!(server.string("d").len(), LARGE_BYTES);
    // Little is made at once.
    assert!(server.ask(&["SETRANGE", "c", "8000000", "x"]).is_some());
    assert!(server.ask(&["BITOP", "NOT", "e", "c"]).is_some());
    assert!(server.ordered().is_empty());
}

#[test]
fn a_request_runs_as_things_are_when_its_memory_is_there() {
    let mut server = with_large_string();
    assert_eq!(server.ask(&["BITOP", "NOT", "d", "a"]), None);
    let other = server.engine.connect(String::new(), String::new(), NOW);
    // Others go on, and nobody has seen anything of the command yet.
    assert_eq!(
        server.ask_as(other, &["EXISTS", "d"]),
        Some(":0\r\n".to_owned())
    );
    assert!(server.ask_as(other, &["SET", "a", "\u{1}"]).is_some());
    let (_, _, reply) = server.prepare();
    assert_eq!(reply, ":1\r\n");
    assert_eq!(server.string("d").to_vec(), [0xfe]);
}

#[test]
fn memory_for_somebody_who_has_gone_comes_back() {
    let mut server = with_large_string();
    assert_eq!(server.ask(&["BITOP", "NOT", "d", "a"]), None);
    let [(waiting, bytes)] = server.ordered()[..] else {
        panic!("one waits");
    };
    server.engine.disconnect(waiting);
    let memory = Vec::with_capacity(bytes);
    let rest = server.engine.memory_prepared(waiting, memory, NOW);
    assert_eq!(rest.capacity(), bytes);
    assert!(server.engine.take_deliveries().is_empty());
    let other = server.engine.connect(String::new(), String::new(), NOW);
    assert_eq!(
        server.ask_as(other, &["EXISTS", "d"]),
        Some(":0\r\n".to_owned())
    );
}
