//! Commands of the types, each on what it typically meets.

use super::{Work, encode, text};

pub(super) const WORKS: &[Work] = &[
    work(
        "INCR",
        |_| Vec::new(),
        |n| words(&format!("INCR counter:{}", drawn(n, KEYS))),
    ),
    work(
        "MSET of 10",
        |_| Vec::new(),
        |n| {
            let pairs = (0..10).map(|i| format!(" key:{:05} abc", drawn(10 * n + i, KEYS)));
            words(&format!("MSET{}", pairs.collect::<String>()))
        },
    ),
    work(
        "EXPIRE",
        |_| each(KEYS, |n| format!("SET key:{n:05} value")),
        |n| words(&format!("EXPIRE key:{:05} 1000", drawn(n, KEYS))),
    ),
    work(
        "DEL",
        |count| each(count, |n| format!("SET key:{n:06} value")),
        |n| words(&format!("DEL key:{n:06}")),
    ),
    work("LPUSH", |_| Vec::new(), |_| words("LPUSH list abc")),
    work(
        "LPOP",
        |count| each(count, |_| "RPUSH list abc".to_owned()),
        |_| words("LPOP list"),
    ),
    work(
        "RPOP",
        |count| each(count, |_| "RPUSH list abc".to_owned()),
        |_| words("RPOP list"),
    ),
    work("LRANGE 100", list, |_| words("LRANGE list 0 99")),
    work("LRANGE 600", list, |_| words("LRANGE list 50000 50599")),
    work("SADD", set, |n| {
        words(&format!("SADD set element:{:05}", drawn(n, KEYS)))
    }),
    work("SISMEMBER", set, |n| {
        words(&format!("SISMEMBER set element:{:05}", drawn(n, KEYS)))
    }),
    work(
        "SPOP",
        |count| each(count, |n| format!("SADD set element:{n:06}")),
        |_| words("SPOP set"),
    ),
    work(
        "SINTER of 2x1,000",
        |_| {
            let mut requests = each(1000, |n| format!("SADD one member:{n:04}"));
            requests.extend(each(500, |n| format!("SADD other member:{n:04}")));
            requests.extend(each(500, |n| format!("SADD other stranger:{n:04}")));
            requests
        },
        |_| words("SINTER one other"),
    ),
    work("ZADD", sorted_set, |n| {
        let (score, member) = (drawn(n + 1, KEYS), drawn(n, KEYS));
        words(&format!("ZADD zset {score} element:{member:05}"))
    }),
    work("ZADD of a new member", sorted_set, |n| {
        words(&format!("ZADD zset {} new:{n:06}", drawn(n, KEYS)))
    }),
    work("ZPOPMIN", sorted_set, |_| words("ZPOPMIN zset")),
    work("ZRANK", sorted_set, |n| {
        words(&format!("ZRANK zset element:{:05}", drawn(n, KEYS)))
    }),
    work("ZINCRBY", sorted_set, |n| {
        words(&format!("ZINCRBY zset 1 element:{:05}", drawn(n, KEYS)))
    }),
    work("ZRANGEBYSCORE LIMIT 10", sorted_set, |n| {
        let score = drawn(n, KEYS);
        words(&format!("ZRANGEBYSCORE zset {score} +inf LIMIT 0 10"))
    }),
    work(
        "HSET",
        |_| Vec::new(),
        |n| words(&format!("HSET hash element:{:05} abc", drawn(n, KEYS))),
    ),
    work("HGET of 20", hashes, |n| {
        words(&format!("HGET hash:{} field:{:02}", drawn(n, 1000), n % 20))
    }),
    work("HINCRBY of 20", hashes, |n| {
        words(&format!("HINCRBY hash:{} count 1", drawn(n, 1000)))
    }),
    work("HGETALL of 20", hashes, |n| {
        words(&format!("HGETALL hash:{}", drawn(n, 1000)))
    }),
    work("PFADD", visitors, |n| {
        words(&format!("PFADD visitors element:{:05}", drawn(n, KEYS)))
    }),
    work("PFCOUNT", visitors, |_| words("PFCOUNT visitors")),
    work(
        "GEOSEARCH of 10",
        |_| {
            each(10_000, |n| {
                let (longitude, latitude) = (drawn(n, 10_000), drawn(n + 77, 10_000));
                format!("GEOADD places 1.{longitude:04} 41.{latitude:04} place:{n:04}")
            })
        },
        |n| {
            let (longitude, latitude) = (drawn(n, 10_000), drawn(n + 77, 10_000));
            words(&format!(
                "GEOSEARCH places FROMLONLAT 1.{longitude:04} 41.{latitude:04} BYRADIUS 3 km ASC \
                 COUNT 10"
            ))
        },
    ),
];

const fn work(
    name: &'static str,
    prepare: fn(u64) -> Vec<Vec<u8>>,
    request: fn(u64) -> Vec<u8>,
) -> Work {
    Work {
        name,
        prepare,
        request,
    }
}

/// How many keys, elements, members and fields there are.
const KEYS: u64 = 100_000;

fn list(_: u64) -> Vec<Vec<u8>> {
    each(KEYS, |n| format!("RPUSH list {}", text(n, 16)))
}

fn set(_: u64) -> Vec<Vec<u8>> {
    each(KEYS, |n| format!("SADD set element:{n:05}"))
}

fn sorted_set(count: u64) -> Vec<Vec<u8>> {
    each(KEYS.max(count), |n| {
        format!("ZADD zset {} element:{n:05}", drawn(n, KEYS))
    })
}

fn hashes(_: u64) -> Vec<Vec<u8>> {
    each(1000, |n| {
        let fields = (0..20).map(|i| format!(" field:{i:02} {}", text(20 * n + i, 8)));
        format!("HSET hash:{n}{}", fields.collect::<String>())
    })
}

fn visitors(_: u64) -> Vec<Vec<u8>> {
    each(KEYS, |n| format!("PFADD visitors element:{n:05}"))
}

/// A number below `end`, which jumps about.
fn drawn(n: u64, end: u64) -> u64 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % end
}

fn each(count: u64, line: impl Fn(u64) -> String) -> Vec<Vec<u8>> {
    (0..count).map(|n| words(&line(n))).collect()
}

/// A request of these words.
fn words(line: &str) -> Vec<u8> {
    encode(&line.split(' ').collect::<Vec<_>>())
}
