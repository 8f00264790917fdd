//! Sorted sets of a million members, and many small ones.

use super::{Attack, Ground};

const REFILL: &[&str] = &["DEL a", "ZADD a {1000000 x 1~ a#}"];

pub(super) const GROUND: Ground = Ground {
    name: "sorted-sets",
    flags: &[
        ("enable-debug-command", "yes"),
        ("maxmemory-policy", "allkeys-random"),
    ],
    data: &[
        "ZADD a {1000000 x 0# a#}",
        "ZADD b {500000 x 1# a#}",
        "ZADD b {500000 x 1# b#}",
        "ZADD l {1000000 x 0 a#}",
        "100000 * ZADD s# 1 m#",
    ],
    attacks: &[
        Attack::of("ZRANGE of 1,000,000", &["ZRANGE a 0 -1 WITHSCORES"]),
        Attack::of("ZRANGE REV of 1,000,000", &["ZRANGE a 0 -1 REV WITHSCORES"]),
        Attack::of(
            "ZRANGE BYSCORE of 1,000,000",
            &["ZRANGE a -inf +inf BYSCORE WITHSCORES"],
        ),
        Attack::of(
            "ZRANGE BYSCORE with an offset of 900,000, 1,000 times",
            &["1000 * ZRANGE a -inf +inf BYSCORE LIMIT 900000 10"],
        ),
        Attack::of("ZRANGE BYLEX of 1,000,000", &["ZRANGE l - + BYLEX"]),
        Attack::of(
            "ZRANGE BYLEX with an offset of 900,000, 1,000 times",
            &["1000 * ZRANGE l - + BYLEX LIMIT 900000 10"],
        ),
        Attack::of("ZSCAN of 1,000,000", &["ZSCAN a 0 COUNT 1000000000"]),
        Attack::of("ZMSCORE of 1,000,000", &["ZMSCORE a {1000000 x a~}"]),
        Attack::of(
            "ZRANDMEMBER of 1,000,000 draws of 1,000,000",
            &["ZRANDMEMBER a -{1000000} WITHSCORES"],
        ),
        Attack::of(
            "ZRANDMEMBER of 900,000 of 1,000,000",
            &["ZRANDMEMBER a {900000} WITHSCORES"],
        ),
        Attack::of(
            "ZRANDMEMBER of 200,000 of 1,000,000",
            &["ZRANDMEMBER a {200000} WITHSCORES"],
        ),
        Attack::of("ZINTER of twice 1,000,000", &["ZINTER 2 a b WITHSCORES"]),
        Attack::of("ZINTERCARD of twice 1,000,000", &["ZINTERCARD 2 a b"]),
        Attack::of("ZUNION of twice 1,000,000", &["ZUNION 2 a b WITHSCORES"]),
        Attack::of("ZDIFF of twice 1,000,000", &["ZDIFF 2 a b WITHSCORES"]),
        Attack::of("ZINTERSTORE of twice 1,000,000", &["ZINTERSTORE d 2 a b"]),
        Attack::of("ZUNIONSTORE of twice 1,000,000", &["ZUNIONSTORE d 2 a b"]),
        Attack::of("ZDIFFSTORE of twice 1,000,000", &["ZDIFFSTORE d 2 a b"]),
        Attack::of(
            "ZINTERCARD of 10 times 1,000,000",
            &["ZINTERCARD {10} {10 x a}"],
        ),
        Attack::of(
            "ZUNION of 10 times 1,000,000 with weights",
            &["ZUNION {10} {10 x a} WEIGHTS {10 x 2.5}"],
        ),
        Attack::of(
            "ZUNION of 100,000 sorted sets",
            &["ZUNION {100000} {100000 x s~}"],
        ),
        Attack::of(
            "ZDIFF of 100,000 sorted sets",
            &["ZDIFF {100000} {100000 x s~}"],
        ),
        Attack::of(
            "ZINTER of 100,000 sorted sets",
            &["ZINTER {100000} {100000 x s~}"],
        ),
        Attack::of("ZRANGESTORE of 1,000,000", &["ZRANGESTORE d a 0 -1"]),
        Attack::of(
            "ZRANGESTORE BYSCORE of 1,000,000",
            &["ZRANGESTORE d a -inf +inf BYSCORE"],
        ),
        Attack::of(
            "ZCOUNT and ZRANK of 1,000,000, 10,000 times",
            &["10000 * ZCOUNT a 0 500000", "10000 * ZRANK a a500000"],
        ),
        Attack::of(
            "ZADD of 1,000,000 members that are there",
            &["ZADD a {1000000 x 1~ a#}"],
        ),
        Attack::of(
            "ZADD of 1,000,000 new members",
            &["ZADD n {1000000 x 1~ n#}"],
        ),
        Attack::of("ZREM of 500,000 members", &["ZREM n {500000 x n~}"]),
        Attack::of("ZPOPMIN of 500,000 members", &["ZPOPMIN n {500000}"]),
        Attack::of(
            "ZMPOP of 900,000 members behind 100,000 missing keys",
            &["ZMPOP {100001} {100000 x z#} n MAX COUNT {900000}"],
        )
        .after(&["ZADD n {1000000 x 1~ n#}"]),
        Attack::of(
            "ZREMRANGEBYRANK of 900,000",
            &["ZREMRANGEBYRANK a 50000 950000"],
        ),
        Attack::of(
            "ZREMRANGEBYSCORE of 900,000",
            &["ZREMRANGEBYSCORE a 150000 +inf"],
        )
        .after(REFILL),
        Attack::of(
            "ZREMRANGEBYSCORE of 1,000,000",
            &["ZREMRANGEBYSCORE a -inf +inf"],
        )
        .after(REFILL),
        Attack::of("ZREMRANGEBYLEX of 900,000", &["ZREMRANGEBYLEX l [a05 [a95"]).after(REFILL),
        Attack::of("ZADD of 100 MB", &["ZADD n 1 {100000000*m}"]).after(&["UNLINK n"]),
        Attack::of("ZSCORE of 100 MB", &["ZSCORE n {100000000*m}"]),
        Attack::of("ZINCRBY of 100 MB", &["ZINCRBY n 1 {100000000*m}"]),
        Attack::of("ZUNIONSTORE of 100 MB", &["ZUNIONSTORE d 1 n"]),
        Attack::of("ZPOPMIN of 100 MB", &["ZPOPMIN n"]).then(&["UNLINK d"]),
        Attack::of("DUMP of a sorted set of 1,000,000", &["DUMP a"]),
        Attack::of(
            "DEBUG DIGEST-VALUE of a sorted set of 1,000,000",
            &["DEBUG DIGEST-VALUE a"],
        ),
        Attack::of(
            "COPY of a sorted set of 1,000,000",
            &["COPY a c", "ZADD a 5 x", "ZADD c 5 y"],
        )
        .then(&["UNLINK c"]),
        Attack::of(
            "ZUNIONSTORE over a sorted set of 1,000,000",
            &["ZUNIONSTORE d 1 s1"],
        )
        .after(&["ZUNIONSTORE d 1 a"]),
        Attack::of("SET over a sorted set of 1,000,000", &["SET a v"]),
        Attack::of("DEL of a sorted set of 1,000,000", &["DEL a"]).after(REFILL),
        Attack::of("UNLINK of a sorted set of 1,000,000", &["UNLINK a"]).after(REFILL),
        Attack::of("a sorted set of 1,000,000 that expires", &["PEXPIREAT a 1"]).after(REFILL),
        Attack::of("FLUSHALL of large and many sorted sets", &["FLUSHALL"]).after(REFILL),
        Attack::of(
            "eviction of a sorted set of 1,000,000",
            &[
                "CONFIG SET maxmemory 30mb",
                "SET x v",
                "CONFIG SET maxmemory 0",
            ],
        )
        .after(REFILL),
    ],
};
