//! All other clients: readers, counters, transactions, and those that trim, delete, rename and
//! copy.

use engine::Engine;
use stream::{Stream, StreamId};

use super::elements;
use super::functions;
use super::ledger::Ledger;
use super::lists;
use super::producer::name_of;
use super::request::{Purpose, Request, request};
use super::scripts;
use crate::rng::Rng;

/// Draws what a bystander does next: requests that are sent together.
pub(super) fn requests(engine: &Engine, ledger: &mut Ledger, rng: &mut Rng) -> Vec<Request> {
    let stream = rng.index(ledger.streams.len());
    match rng.below(68) {
        0..4 => {
            let mut requests = vec![look(stream, rng)];
            requests.extend(ledger.kept.requests(engine, rng));
            requests
        }
        4 => vec![count(rng)],
        5 => transaction(),
        6 => vec![shorten(engine, stream, ledger, rng)],
        7 => vec![delete(stream, ledger, rng)],
        8..10 => (0..1 + rng.below(3)).map(|_| change(stream, rng)).collect(),
        10 => elsewhere(rng),
        11..14 | 52..54 => {
            let mut requests = expiring(rng);
            requests.extend(ledger.retries.requests(engine, rng));
            requests.extend(ledger.holds.requests(engine, rng));
            requests
        }
        54.. => ledger.work.requests(engine, rng),
        14..16 => (0..1 + rng.below(4)).map(|_| hash(rng)).collect(),
        16 => (0..1 + rng.below(4)).map(|_| fields(rng)).collect(),
        17 => (0..1 + rng.below(4)).map(|_| estimate(rng)).collect(),
        18..23 => lists::requests(rng),
        23 => (0..1 + rng.below(4))
            .map(|_| elements::sorted_set(rng))
            .collect(),
        24..26 => (0..1 + rng.below(6)).map(|_| elements::set(rng)).collect(),
        26 => (0..1 + rng.below(4))
            .map(|_| elements::place(rng))
            .collect(),
        27..34 => ledger.things.requests(rng),
        36..42 => vec![scripts::request(rng)],
        42..52 => functions::requests(rng),
        _ => {
            let id = ledger.streams[stream].some_id(StreamId::new(rng.number() >> 22, 0));
            let id = id.unwrap_or(StreamId::new(1, 1));
            (0..1 + rng.below(3)).map(|_| scratch(id, rng)).collect()
        }
    }
}

/// Draws what a bystander asks while a script is not finished: one request, which waits, or is
/// refused.
pub(super) fn request_meanwhile(rng: &mut Rng) -> Request {
    match rng.below(7) {
        0 => request!(Purpose::Any, "SCRIPT", "KILL"),
        6 => request!(Purpose::Any, "FUNCTION", "KILL"),
        1 => count(rng),
        2 => scripts::look(),
        _ => request!(Purpose::Look, "GET", format!("n:{}", rng.below(2))),
    }
}

/// The stream of a key.
pub(super) fn stream_of<'e>(engine: &'e Engine, key: &str) -> Option<&'e Stream> {
    let keyspace = engine.keyspace();
    let record = keyspace.find(0, keyspace.hash(key.as_bytes()), key.as_bytes())?;
    record.value().get()
}

fn look(stream: usize, rng: &mut Rng) -> Request {
    let key = name_of(stream);
    match rng.below(9) {
        0 => request!(
            Purpose::Entries(stream),
            "XRANGE",
            key,
            "-",
            "+",
            "COUNT",
            "20"
        ),
        1..4 => request!(
            Purpose::Entries(stream),
            "XREVRANGE",
            key,
            "+",
            "-",
            "COUNT",
            "6"
        ),
        4 => request!(Purpose::Look, "XLEN", key),
        5 => request!(Purpose::Look, "XPENDING", key, "g0"),
        6 => request!(Purpose::Look, "GET", format!("n:{}", rng.below(2))),
        7 => request!(Purpose::Pair, "MGET", "t:a", "t:b"),
        _ => {
            let m = format!("m:{}", rng.below(3));
            match rng.below(3) {
                0 => request!(Purpose::Look, "GET", m),
                1 => request!(Purpose::Look, "EXISTS", m, "copy"),
                _ => request!(Purpose::Look, "TYPE", "copy"),
            }
        }
    }
}

fn count(rng: &mut Rng) -> Request {
    let counter = rng.below(4);
    let purpose = Purpose::Count(counter);
    match counter {
        2 => request!(purpose, "HINCRBY", "n:h", "field", 1),
        3 => request!(purpose, "ZINCRBY", "n:z", 1, "member"),
        _ => request!(purpose, "INCR", format!("n:{counter}")),
    }
}

/// Three keys that only ever change together.
fn transaction() -> Vec<Request> {
    vec![
        request!(Purpose::Any, "MULTI"),
        request!(Purpose::Any, "INCR", "t:a"),
        request!(Purpose::Any, "XADD", "t:s", "*", "field", "value"),
        request!(Purpose::Any, "INCR", "t:b"),
        request!(Purpose::Any, "EXEC"),
    ]
}

fn shorten(engine: &Engine, stream: usize, ledger: &mut Ledger, rng: &mut Rng) -> Request {
    let key = name_of(stream);
    let keep = 10 + rng.below(40);
    // The ledger is told before the request what it may remove, because the answer may be lost.
    let entries = stream_of(engine, &key).map(Stream::entries);
    let last = entries.and_then(|entries| entries.nth(entries.len().checked_sub(keep + 1)?));
    let last = last.map_or(StreamId::MIN, |entry| entry.id());
    ledger.streams[stream].ask_trim(last);
    match rng.below(4) {
        0 => request!(Purpose::Any, "XTRIM", key, "MAXLEN", "~", keep),
        1 => request!(Purpose::Any, "XTRIM", key, "MAXLEN", "=", keep, "DELREF"),
        2 => request!(Purpose::Any, "XTRIM", key, "MINID", last, "ACKED"),
        _ => request!(Purpose::Any, "XTRIM", key, "MAXLEN", "=", keep),
    }
}

fn delete(stream: usize, ledger: &mut Ledger, rng: &mut Rng) -> Request {
    let known = &mut ledger.streams[stream];
    let last = known.last_id().unwrap_or(StreamId::new(1, 1));
    let from = StreamId::new(last.ms.saturating_sub(rng.below(2000)), 0);
    let id = known.some_id(from).unwrap_or(last);
    known.ask_delete(id);
    request!(Purpose::Delete(stream, id), "XDEL", name_of(stream), id)
}

fn change(stream: usize, rng: &mut Rng) -> Request {
    let key = format!("m:{}", rng.below(3));
    let value = "v".repeat(rng.index(40));
    match rng.below(8) {
        0 | 1 => request!(Purpose::Any, "SET", key, value),
        2 | 3 => request!(Purpose::Any, "APPEND", key, "tail"),
        4 => request!(Purpose::Any, "DEL", key),
        5 => request!(Purpose::Any, "RENAME", key, format!("m:{}", rng.below(3))),
        6 => request!(Purpose::Any, "COPY", name_of(stream), "copy", "REPLACE"),
        _ => request!(Purpose::Any, "DEL", "copy"),
    }
}

/// Anything may happen to a copied stream, because nobody relies on it.
fn scratch(id: StreamId, rng: &mut Rng) -> Request {
    let consumer = format!("c{}", rng.below(6));
    let group = format!("g{}", rng.below(2));
    let number = 1 + rng.below(3);
    match rng.below(13) {
        0..3 => request!(
            Purpose::Any,
            "XADD",
            "copy",
            "IDMP",
            consumer,
            number,
            "*",
            "field",
            "value"
        ),
        3 => request!(
            Purpose::Any,
            "XCFGSET",
            "copy",
            "IDMP-DURATION",
            number,
            "IDMP-MAXSIZE",
            number
        ),
        4 => request!(
            Purpose::Any,
            "XGROUP",
            "DELCONSUMER",
            "copy",
            group,
            consumer
        ),
        5 => request!(Purpose::Any, "XGROUP", "DESTROY", "copy", group),
        6 => request!(Purpose::Any, "XGROUP", "SETID", "copy", group, id),
        7 => request!(Purpose::Any, "XNACK", "copy", group, "FAIL", "IDS", "1", id),
        8 => request!(
            Purpose::Any,
            "XACKDEL",
            "copy",
            group,
            "DELREF",
            "IDS",
            "1",
            id
        ),
        9 => request!(Purpose::Any, "XDELEX", "copy", "ACKED", "IDS", "1", id),
        10 => request!(
            Purpose::Any,
            "XADD",
            "copy",
            "MAXLEN",
            "~",
            "5",
            "*",
            "field",
            "value"
        ),
        11 => request!(
            Purpose::Any,
            "XREADGROUP",
            "GROUP",
            group,
            consumer,
            "COUNT",
            number,
            "STREAMS",
            "copy",
            ">"
        ),
        _ => request!(
            Purpose::Any,
            "XCLAIM",
            "copy",
            group,
            consumer,
            "0",
            id,
            "FORCE",
            "RETRYCOUNT",
            number
        ),
    }
}

/// Hashes, of which one is small, with values of any length.
pub(super) fn hash(rng: &mut Rng) -> Request {
    let number = rng.below(3);
    let (key, other) = (format!("h:{number}"), format!("h:{}", rng.below(3)));
    let mut field = || format!("f{}", rng.below(4 + 200 * number));
    let (field, second) = (field(), field());
    let value = "v".repeat(rng.index(60));
    let long = "l".repeat(rng.index(5000));
    match rng.below(20) {
        0..3 => request!(Purpose::Any, "HSET", key, field, value, second, long),
        3 => request!(Purpose::Any, "HMSET", key, field, 7, field, 8),
        4 => request!(Purpose::Any, "HSETNX", key, field, long),
        5..7 => request!(Purpose::Any, "HINCRBY", key, "n", rng.below(100)),
        7 => request!(Purpose::Any, "HINCRBYFLOAT", key, "x", "0.1"),
        8..11 => request!(Purpose::Any, "HDEL", key, field, second, field),
        11 => request!(Purpose::Any, "HDEL", key, "n", "x"),
        12 => request!(Purpose::Any, "UNLINK", key),
        13 => request!(Purpose::Any, "RENAME", key, other),
        14 => request!(Purpose::Any, "COPY", key, other, "REPLACE"),
        15 => request!(Purpose::Any, "PEXPIRE", key, 1 + rng.below(3000)),
        16 => request!(Purpose::Look, "HMGET", key, field, "n", "x", second),
        17 => request!(Purpose::Look, "HSTRLEN", key, field),
        18 => request!(Purpose::Look, "HLEN", key),
        _ => request!(Purpose::Look, "HEXISTS", key, field),
    }
}

/// HyperLogLogs: their bytes are compared after each recovery, those of the estimate too.
pub(super) fn estimate(rng: &mut Rng) -> Request {
    let (key, other) = (
        format!("hll:{}", rng.below(3)),
        format!("hll:{}", rng.below(3)),
    );
    let (first, second) = (rng.below(50), rng.below(100_000));
    match rng.below(14) {
        0..5 => request!(Purpose::Any, "PFADD", key, first, second),
        5 => request!(Purpose::Any, "PFADD", key),
        6..9 => request!(Purpose::Any, "PFCOUNT", key),
        9 => request!(Purpose::Any, "PFCOUNT", key, other),
        10 => request!(Purpose::Any, "PFMERGE", key, other),
        11 => request!(Purpose::Any, "PFDEBUG", "TODENSE", key),
        12 => request!(Purpose::Any, "PEXPIRE", key, 1 + rng.below(3000)),
        _ => request!(Purpose::Any, "DEL", key),
    }
}

/// Fields of the same hashes that expire, and commands on them once they have.
pub(super) fn fields(rng: &mut Rng) -> Request {
    let number = rng.below(3);
    let key = format!("h:{number}");
    let mut field = || format!("f{}", rng.below(4 + 200 * number));
    let (field, second) = (field(), field());
    let soon = 1 + rng.below(2000);
    match rng.below(14) {
        0..3 => request!(
            Purpose::Any,
            "HPEXPIRE",
            key,
            soon,
            "FIELDS",
            "2",
            field,
            second
        ),
        3 => request!(Purpose::Any, "HEXPIRE", key, 0, "FIELDS", "1", field),
        4 => request!(Purpose::Any, "HPEXPIRE", key, soon, "FIELDS", "2", "n", "x"),
        5 => request!(Purpose::Any, "HPERSIST", key, "FIELDS", "2", field, second),
        6 => request!(
            Purpose::Any,
            "HSETEX",
            key,
            "PX",
            soon,
            "FIELDS",
            "1",
            field,
            "soon"
        ),
        7 => request!(
            Purpose::Any,
            "HSETEX",
            key,
            "KEEPTTL",
            "FIELDS",
            "1",
            field,
            "kept"
        ),
        8 => request!(
            Purpose::Any,
            "HGETEX",
            key,
            "PX",
            soon,
            "FIELDS",
            "1",
            second
        ),
        9 => request!(Purpose::Any, "HGETDEL", key, "FIELDS", "2", field, second),
        10 => request!(Purpose::Look, "HGETALL", key),
        11 => request!(Purpose::Look, "HPTTL", key, "FIELDS", "2", field, second),
        12 => request!(Purpose::Look, "HGET", key, field),
        _ => request!(Purpose::Look, "HLEN", key),
    }
}

/// In another database.
fn elsewhere(rng: &mut Rng) -> Vec<Request> {
    let key = format!("m:{}", rng.below(2));
    let change = match rng.below(4) {
        0 => request!(Purpose::Any, "FLUSHDB"),
        1 => request!(Purpose::Any, "MOVE", key, "0"),
        _ => request!(Purpose::Any, "APPEND", key, "elsewhere"),
    };
    vec![
        request!(Purpose::Any, "SELECT", "1"),
        change,
        request!(Purpose::Any, "SELECT", "0"),
    ]
}

/// Keys that expire, and commands on them once they have.
pub(super) fn expiring(rng: &mut Rng) -> Vec<Request> {
    let key = format!("e:{}", rng.below(3));
    vec![match rng.below(15) {
        0 => request!(Purpose::Any, "SET", key, "soon", "PX", 1 + rng.below(300)),
        // Unless it is evicted before.
        1 => request!(Purpose::Any, "SET", key, "later", "PX", 100_000),
        2 => request!(Purpose::Any, "APPEND", key, "er"),
        3 => request!(Purpose::Any, "PEXPIRE", key, [2000, 100_000][rng.index(2)]),
        4 => request!(Purpose::Any, "XADD", "e:s", "*", "field", "value"),
        5 => request!(Purpose::Any, "PEXPIRE", "e:s", 1 + rng.below(3000)),
        6 => request!(Purpose::Any, "SETRANGE", key, 2, "range"),
        7 => request!(Purpose::Any, "RENAME", key, format!("e:{}", rng.below(3))),
        8 => request!(Purpose::Any, "COPY", "e:s", key, "REPLACE"),
        9 => request!(Purpose::Any, "XTRIM", "e:s", "MAXLEN", "1"),
        10..14 => return overwriting(key, rng),
        _ => request!(Purpose::Any, "GET", key),
    }]
}

/// A value that keeps an expiry can be read at once, whatever was there before.
fn overwriting(key: String, rng: &mut Rng) -> Vec<Request> {
    let value = rng.number().to_string();
    let write = if rng.once_in(2) {
        request!(Purpose::Any, "SET", key, value, "KEEPTTL")
    } else {
        request!(Purpose::Any, "MSETEX", "1", key, value, "KEEPTTL")
    };
    vec![
        request!(Purpose::Any, "MULTI"),
        write,
        request!(Purpose::Any, "GET", key),
        request!(Purpose::Written(value), "EXEC"),
    ]
}
