//! The grounds: rows of data.

use super::{Ground, Lane, Request};

pub(super) const ALL: &[Ground] = &[
    BENCHMARK,
    KEYS,
    LISTS,
    SETS,
    SORTED_SETS,
    HASHES,
    HYPERLOGLOGS,
    PLACES,
];

/// What redis-benchmark sends by default, over 100,000 keys, elements and scores. Its values have
/// three bytes.
const BENCHMARK: Ground = Ground {
    name: "benchmark",
    data: &[
        (100_000, "SET key:#5 @3"),
        (100_000, "SADD myset element:#5"),
        (100_000, "HSET myhash element:#5 @3"),
        (100_000, "ZADD myzset %5 element:#5"),
        (100_000, "RPUSH longlist @3"),
    ],
    lanes: &[
        Lane {
            request: Request::Inline("PING"),
            ..Lane::of("PING_INLINE", "")
        },
        Lane::of("PING_MBULK", "PING"),
        Lane::of("SET", "SET key:%5 @3"),
        Lane::of("GET", "GET key:%5").loosely(),
        Lane::of("INCR", "INCR counter:%5").loosely(),
        Lane::of("LPUSH", "LPUSH mylist @3").loosely(),
        Lane::of("RPUSH", "RPUSH mylist @3").loosely(),
        Lane::of("LPOP", "LPOP mylist").loosely(),
        Lane::of("RPOP", "RPOP mylist").loosely(),
        Lane::of("SADD", "SADD myset element:%5"),
        Lane::of("HSET", "HSET myhash element:%5 @3"),
        Lane::of("SPOP", "SPOP popset")
            .loosely()
            .after("SADD popset element:#6"),
        Lane::of("ZADD", "ZADD myzset %5 element:%5"),
        Lane::of("ZPOPMIN", "ZPOPMIN popzset")
            .loosely()
            .after("ZADD popzset %6 element:#6"),
        Lane::of("LRANGE_100", "LRANGE longlist 0 99").weighing(10),
        Lane::of("LRANGE_300", "LRANGE longlist 0 299").weighing(30),
        Lane::of("LRANGE_500", "LRANGE longlist 0 499").weighing(50),
        Lane::of("LRANGE_600", "LRANGE longlist 0 599").weighing(60),
        Lane::of("MSET (10 keys)", "MSET {10 x key:%5 @3}").weighing(5),
        Lane::of("XADD", "XADD mystream * myfield @3").loosely(),
    ],
};

const KEYS: Ground = Ground {
    name: "keys",
    data: &[(100_000, "SET key:#5 @16")],
    lanes: &[
        Lane::of("EXPIRE", "EXPIRE key:%5 1000"),
        Lane::of("DEL of strings", "DEL gone:#6").after("SET gone:#6 @16"),
        Lane::of("DEL of hashes of 10 fields", "DEL gone:#6")
            .weighing(4)
            .after("HSET gone:#6 {10 x field:& @8}"),
    ],
};

const LISTS: Ground = Ground {
    name: "lists",
    data: &[(100_000, "RPUSH list @16")],
    lanes: &[
        Lane::of("LRANGE 100 from the middle", "LRANGE list 50000 50099").weighing(10),
        Lane::of("LRANGE 600 from the middle", "LRANGE list 50000 50599").weighing(60),
        Lane::of("LINDEX of 100,000", "LINDEX list 5%4").weighing(10),
    ],
};

const SETS: Ground = Ground {
    name: "sets",
    data: &[
        (100_000, "SADD set element:#5"),
        (1_000, "SADD one member:#4"),
        (500, "SADD other member:0#3"),
        (500, "SADD other stranger:0#3"),
    ],
    lanes: &[
        Lane::of("SISMEMBER of 100,000", "SISMEMBER set element:%5"),
        Lane::of("SINTER of 2x1,000", "SINTER one other")
            .weighing(50)
            .loosely(),
    ],
};

const SORTED_SETS: Ground = Ground {
    name: "sorted-sets",
    data: &[
        (10_000, "ZADD zset %6 member:#4"),
        (1_000_000, "ZADD large %7 member:#6"),
    ],
    lanes: &[
        Lane::of(
            "ZRANGEBYSCORE LIMIT 10 of 10,000",
            "ZRANGEBYSCORE zset %6 +inf LIMIT 0 10",
        )
        .weighing(2),
        Lane::of(
            "ZADD of a known member to 1,000,000",
            "ZADD large %7 member:%6",
        ),
        Lane::of("ZADD of a new member to 1,000,000", "ZADD large %7 new:#6")
            .then("ZREM large new:#6"),
        Lane::of("ZRANK of 1,000,000", "ZRANK large member:%6").loosely(),
        Lane::of("ZINCRBY of 1,000,000", "ZINCRBY large 1 member:%6").loosely(),
    ],
};

const HASHES: Ground = Ground {
    name: "hashes",
    data: &[
        (1_000, "HSET hash:#3 {20 x field:& @8}"),
        (1_000, "HSET counts:#3 {20 x field:& 1%3}"),
    ],
    lanes: &[
        Lane::of("HGETALL of 20 fields", "HGETALL hash:%3").weighing(4),
        Lane::of("HGET of 20 fields", "HGET hash:%3 field:0%1"),
        Lane::of("HINCRBY of 20 fields", "HINCRBY counts:%3 field:0%1 1").loosely(),
    ],
};

const HYPERLOGLOGS: Ground = Ground {
    name: "hyperloglogs",
    data: &[(100_000, "PFADD visitors element:#5")],
    lanes: &[
        Lane::of("PFADD", "PFADD visitors element:%5"),
        Lane::of("PFCOUNT", "PFCOUNT visitors"),
    ],
};

/// About thirty of the places lie within three kilometres of each other.
const PLACES: Ground = Ground {
    name: "places",
    data: &[(10_000, "GEOADD places 1.%4 41.%4 place:#4")],
    lanes: &[Lane::of(
        "GEOSEARCH of 10 among 10,000",
        "GEOSEARCH places FROMLONLAT 1.%4 41.%4 BYRADIUS 3 km ASC COUNT 10",
    )
    .weighing(20)
    // Two places at one distance have no order.
    .loosely()],
};
