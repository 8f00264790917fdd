//! What is copied on the way to the log is bounded, however large values are: the log refers to
//! them. And it is what it would be if they were copied.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::store::log::Journalling;
use engine::{Engine, Mono, Now};
use resp::{LARGE_BYTES_MIN, Limits, Parser, Protocol, Reply};

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

/// A server with a log.
struct Server {
    engine: Engine,
    session: SessionId,
}

/// How the arguments of a request arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrive {
    /// Together.
    Together,
    /// A large one into a buffer of its own.
    Apart,
}

impl Server {
    fn new() -> Server {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &commands::TABLE);
        engine.set_journalling(Journalling::On);
        let session = engine.connect(String::new(), String::new(), NOW);
        Server { engine, session }
    }

    /// Runs a request as the shell does.
    fn ask(&mut self, argv: &[&[u8]], arrive: Arrive) -> Vec<u8> {
        let (mut parser, limits) = (Parser::new(), Limits::default());
        let mut bytes = format!("*{}\r\n", argv.len()).into_bytes();
        for arg in argv {
            bytes.extend(format!("${}\r\n", arg.len()).bytes());
            bytes.extend_from_slice(arg);
            bytes.extend_from_slice(b"\r\n");
        }
        let (mut input, mut rest) = (Vec::new(), bytes.as_slice());
        loop {
            let missing = parser.bytes_missing(input.len()).min(rest.len());
            let (next, then) = match arrive {
                Arrive::Together => rest.split_at(rest.len()),
                Arrive::Apart => rest.split_at(missing),
            };
            rest = then;
            match parser.take_large() {
                Some(mut large) => {
                    large.extend_from_slice(next);
                    parser.give_back_large(large);
                }
                None => input.extend_from_slice(next),
            }
            if let Some(request) = parser.parse(&input, &limits).unwrap() {
                let mut reply = Reply::new(Protocol::Resp2);
                let _ = self
                    .engine
                    .request(self.session, request.argv, NOW, &mut reply);
                return reply.take().into_bytes();
            }
            if arrive == Arrive::Apart {
                parser.set_aside(&mut input, LARGE_BYTES_MIN);
            }
        }
    }
}

/// Bytes that do not compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// Requests that write a large value, in order.
fn requests<'a>(value: &'a [u8], payload: &'a [u8]) -> Vec<Vec<&'a [u8]>> {
    let words: &[&[&[u8]]] = &[
        &[b"SET", b"k", b"$"],
        &[b"SET", b"k", b"$", b"PX", b"100000"],
        &[b"SETRANGE", b"k", b"3", b"$"],
        &[b"APPEND", b"k", b"$"],
        &[b"APPEND", b"new", b"$"],
        &[b"GETSET", b"k", b"$"],
        &[b"MSET", b"a", b"$", b"b", b"$"],
        &[b"BITOP", b"NOT", b"bits", b"a"],
        &[b"BITOP", b"OR", b"bits", b"a", b"b"],
        &[b"RESTORE", b"restored", b"0", b"%"],
        &[b"HSET", b"h", b"f", b"$", b"g", b"$"],
        &[b"HMSET", b"h", b"f", b"$"],
        &[b"HSETNX", b"h", b"$", b"$"],
        &[b"HDEL", b"h", b"$", b"f"],
        &[b"SADD", b"set", b"$", b"a"],
        &[b"SORT", b"set", b"ALPHA", b"STORE", b"sorted"],
        &[b"SMOVE", b"set", b"other", b"$"],
        &[b"SUNIONSTORE", b"union", b"other"],
        &[b"SPOP", b"other"],
        &[b"SREM", b"union", b"$"],
        &[b"XADD", b"s", b"*", b"f", b"$"],
        &[
            b"XADD", b"s", b"IDMP", b"p", b"1", b"*", b"f", b"$", b"g", b"$",
        ],
        &[b"XADD", b"s", b"IDMPAUTO", b"p", b"*", b"$", b"v"],
        &[b"XADD", b"s", b"MAXLEN", b"=", b"2", b"*", b"f", b"$"],
        &[b"MULTI"],
        &[b"SELECT", b"3"],
        &[b"SET", b"small", b"v"],
        &[b"XADD", b"s", b"*", b"f", b"$"],
        &[b"SET", b"k", b"$"],
        &[b"EXEC"],
        &[b"SET", b"small", b"v"],
    ];
    let filled = |word: &&'a [u8]| match *word {
        b"$" => value,
        b"%" => payload,
        word => word,
    };
    words
        .iter()
        .map(|words| words.iter().map(filled).collect())
        .collect()
}

#[test]
fn what_is_copied_for_the_log_does_not_grow_with_values() {
    let mut copied = Vec::new();
    for bytes in [2 * LARGE_BYTES_MIN, 64 * LARGE_BYTES_MIN] {
        let value = noise(bytes);
        let mut plain = Server::new();
        plain.ask(&[b"SET", b"k", &value], Arrive::Together);
        let dumped = plain.ask(&[b"DUMP", b"k"], Arrive::Together);
        let begin = dumped.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let payload = &dumped[begin..dumped.len() - 2];
        let (mut plain, mut shared) = (Server::new(), Server::new());
        for request in requests(&value, payload) {
            let name = request[0].escape_ascii().to_string();
            let reply = plain.ask(&request, Arrive::Together);
            assert!(!reply.starts_with(b"-"), "{}", reply.escape_ascii());
            assert_eq!(shared.ask(&request, Arrive::Apart), reply, "{name}");
            let effects = shared.engine.effects();
            let own = effects.own_len();
            assert!(effects == plain.engine.effects(), "{name}");
            assert!(own < 512, "{name} copied {own} of {bytes} bytes");
            copied.push(own);
            for server in [&mut plain, &mut shared] {
                server.engine.effects_taken();
            }
        }
        assert_eq!(plain.engine.stats().changes, shared.engine.stats().changes);
    }
    // Lengths have one digit more or less.
    let (small, large) = copied.split_at(copied.len() / 2);
    let grew = small.iter().zip(large).map(|(small, large)| large - small);
    assert!(grew.max() < Some(32), "{copied:?}");
}
