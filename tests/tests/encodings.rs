//! `OBJECT ENCODING` says what Redis says, after histories in which values grow, shrink and change,
//! but for what was reviewed.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

/// What happened to the key `k`. `m0..3` stands for `m0 m1 m2`, `f0..2=v` for `f0 v f1 v`,
/// `7:m0..2` for `7 m0 7 m1`, `a*2` for `a a`, and `x^3` for `xxx`. Elements of fourteen bytes fill
/// a node of a list in Redis with 512.
const HISTORIES: &[&[&str]] = &[
    &["SADD k 1 2 3", "SADD k x"],
    &["SADD k 0..512", "SADD k 512"],
    &["SADD k 0..513", "SREM k 0..500"],
    &["SADD k m0..128", "SADD k m128"],
    &["SADD k m0..129", "SREM k m0..120"],
    &["SADD k a", "SADD k x^65", "SREM k x^65"],
    &["SADD k 1 2 a", "SREM k a", "SADD k 4"],
    &["SADD k a", "SADD k m1*200", "SREM k m1"],
    &["SADD a x", "SADD k 1 2", "SMOVE a k x"],
    &["SADD a 1 2 x", "SADD b 1 2 y", "SINTERSTORE k a b"],
    &["SADD a m0..129", "SREM a m0..120", "COPY a k"],
    &["HSET k f0..128=v", "HSET k f128 v"],
    &["HSET k f0..512=v", "HSET k f512 v"],
    &["HSET k f0..513=v", "HDEL k f0..500"],
    &["HSET k f v", "HSET k f x^65", "HSET k f v"],
    &[
        "HSET k f v",
        "HEXPIRE k 100 FIELDS 1 f",
        "HPERSIST k FIELDS 1 f",
    ],
    &["ZADD k 1:m0..128", "ZADD k 1 m128"],
    &["ZADD k 1:m0..129", "ZREM k m0..120"],
    &["ZADD k 1 a", "ZADD k 1 x^65"],
    &["ZADD a 1:m0..129", "ZADD b 1 m1", "ZINTERSTORE k 2 a b"],
    &["RPUSH k xxxxxxxxxxxxxx*511", "RPUSH k xxxxxxxxxxxxxx"],
    &["RPUSH k xxxxxxxxxxxxxx*600", "RPOP k 500"],
    &["RPUSH k xxxxxxxxxxxxxx*600", "LTRIM k 0 99"],
    &[
        "RPUSH k xxxxxxxxxxxxxx*500 a0..100",
        "LREM k 0 xxxxxxxxxxxxxx",
    ],
    &["RPUSH k y^9000", "LSET k 0 s"],
    &["RPUSH a 3 1 2", "SORT a STORE k"],
    &["SET k 12", "APPEND k 3"],
    &["SET k 12", "INCR k"],
];

/// A history, and what Redis and weir say after it.
type Reviewed = (&'static [&'static str], &'static str, &'static str);

/// Where weir says something else. Redis changes the form by the number of arguments, before it
/// knows that they change nothing; here what changes nothing is in no journal, so it must not show.
/// Redis sees the nodes of a list, of which a short list may have two.
const REVIEWED: &[Reviewed] = &[
    (
        &["SADD k m0..100", "SADD k m1*200"],
        "hashtable",
        "listpack",
    ),
    (&["SADD k 0..300", "SADD k 1*600"], "hashtable", "intset"),
    (
        &["SADD k 0..512 a", "SREM k a", "SPOP k 500"],
        "listpack",
        "intset",
    ),
    (
        &["HSET k f v", "HEXPIRE k 100 FIELDS 1 g"],
        "listpackex",
        "listpack",
    ),
    (
        &["ZADD k 1:m0..100", "ZADD k 1:m1*150"],
        "skiplist",
        "listpack",
    ),
    (
        &["ZADD k 1 a", "ZADD k XX 1:m0..129"],
        "skiplist",
        "listpack",
    ),
    (
        &["RPUSH k xxxxxxxxxxxxxx*600", "LPOP k 500"],
        "quicklist",
        "listpack",
    ),
];

fn words(request: &str) -> Vec<String> {
    request.split(' ').flat_map(expanded).collect()
}

fn expanded(word: &str) -> Vec<String> {
    if let Some((text, count)) = word.split_once('^') {
        return vec![text.repeat(count.parse().unwrap())];
    }
    if let Some((before, names)) = word.split_once(':') {
        let names = expanded(names).into_iter();
        return names.flat_map(|name| [before.to_owned(), name]).collect();
    }
    if let Some((names, behind)) = word.split_once('=') {
        let names = expanded(names).into_iter();
        return names.flat_map(|name| [name, behind.to_owned()]).collect();
    }
    if let Some((text, count)) = word.split_once('*') {
        return vec![text.to_owned(); count.parse().unwrap()];
    }
    let Some((first, end)) = word.split_once("..") else {
        return vec![word.to_owned()];
    };
    let (prefix, from) = first.split_at(first.find(|c: char| c.is_ascii_digit()).unwrap());
    let numbers = from.parse::<usize>().unwrap()..end.parse().unwrap();
    numbers.map(|number| format!("{prefix}{number}")).collect()
}

fn ask(client: &mut Client, request: &str) -> String {
    let words = words(request);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let reply = client.command(&words).unwrap();
    match reply.as_bytes() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => reply.to_string(),
    }
}

/// The name of the form in which `k` is after a history.
fn encoding(client: &mut Client, history: &[&str]) -> String {
    ask(client, "FLUSHALL");
    for request in history {
        let reply = ask(client, request);
        assert!(!reply.contains("ERR"), "{request}: {reply}");
    }
    ask(client, "OBJECT ENCODING k")
}

#[test]
fn values_are_called_what_redis_calls_them() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let servers = [peers::weir().unwrap(), redis].map(|binary| Server::start(&binary).unwrap());
    let mut clients = servers
        .each_ref()
        .map(|server| server.connect(Protocol::Resp2).unwrap());
    let mut said = |history| clients.each_mut().map(|client| encoding(client, history));
    let mut differences = Vec::new();
    for history in HISTORIES {
        let [weir, redis] = said(history);
        if weir != redis {
            differences.push(format!("{history:?}: {weir}, Redis {redis}"));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    for (history, redis, weir) in REVIEWED {
        assert_eq!(said(history), [*weir, *redis], "{history:?}");
    }
}
