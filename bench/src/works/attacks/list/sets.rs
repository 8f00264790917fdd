//! Sets of a million members, of texts and of integers, and many small ones.

use super::{Attack, Ground};

const REFILL: &[&str] = &["DEL a", "SADD a {1000000 x a#}"];

pub(super) const GROUND: Ground = Ground {
    name: "sets",
    flags: &[
        ("enable-debug-command", "yes"),
        ("maxmemory-policy", "allkeys-random"),
    ],
    data: &[
        "SADD a {1000000 x a#}",
        "SADD b {500000 x a#}",
        "SADD b {500000 x b#}",
        "SADD i {1000000 x 1#}",
        "100000 * SADD s# m#",
    ],
    attacks: &[
        Attack::of("SMEMBERS of 1,000,000", &["SMEMBERS a"]),
        Attack::of("SMEMBERS of 1,000,000 integers", &["SMEMBERS i"]),
        Attack::of("SSCAN of 1,000,000", &["SSCAN a 0 COUNT 1000000000"]),
        Attack::of(
            "SSCAN MATCH of none of 1,000,000",
            &["SSCAN a 0 COUNT 1000000000 MATCH x*y*z"],
        ),
        Attack::of("SMISMEMBER of 1,000,000", &["SMISMEMBER a {1000000 x a~}"]),
        Attack::of(
            "SRANDMEMBER of 1,000,000 draws of 1,000,000",
            &["SRANDMEMBER a -{1000000}"],
        ),
        Attack::of(
            "SRANDMEMBER of 900,000 of 1,000,000",
            &["SRANDMEMBER a {900000}"],
        ),
        Attack::of(
            "SRANDMEMBER of 200,000 of 1,000,000",
            &["SRANDMEMBER a {200000}"],
        ),
        Attack::of("SINTER of twice 1,000,000", &["SINTER a b"]),
        Attack::of("SINTERCARD of twice 1,000,000", &["SINTERCARD 2 a b"]),
        Attack::of("SUNION of twice 1,000,000", &["SUNION a b"]),
        Attack::of("SDIFF of twice 1,000,000", &["SDIFF a b"]),
        Attack::of("SINTERSTORE of twice 1,000,000", &["SINTERSTORE d a b"]),
        Attack::of("SUNIONSTORE of twice 1,000,000", &["SUNIONSTORE d a b"]),
        Attack::of("SDIFFSTORE of twice 1,000,000", &["SDIFFSTORE d a b"]),
        Attack::of(
            "SUNION of 1,000,000 and 1,000,000 integers",
            &["SUNION a i"],
        ),
        Attack::of("SINTER of one set, 1,000 times", &["SINTER {1000 x a}"]),
        Attack::of(
            "SINTERCARD of 10 times 1,000,000",
            &["SINTERCARD {10} {10 x a}"],
        ),
        Attack::of("SUNION of 10 times 1,000,000", &["SUNION {10 x a}"]),
        Attack::of("SDIFF of a set and 10 others", &["SDIFF a {10 x i}"]),
        Attack::of("SUNION of 100,000 sets", &["SUNION {100000 x s~}"]),
        Attack::of("SDIFF of 100,000 sets", &["SDIFF a {100000 x s~}"]),
        Attack::of("SINTER of 100,000 sets", &["SINTER {100000 x s~}"]),
        Attack::of(
            "SADD of 1,000,000 members that are there",
            &["SADD a {1000000 x a~}"],
        ),
        Attack::of("SADD of 1,000,000 new members", &["SADD n {1000000 x n~}"]),
        Attack::of("SPOP of 900,000 members", &["SPOP n {900000}"]),
        Attack::of("SPOP of 200,000 members", &["SPOP n {200000}"])
            .after(&["SADD n {1000000 x n~}"]),
        Attack::of("SPOP of all of 800,000 members", &["SPOP n {1000000}"]),
        Attack::of("SREM of 500,000 members", &["SREM n {500000 x n~}"])
            .after(&["SADD n {1000000 x n~}"])
            .then(&["UNLINK n"]),
        Attack::of("SADD of 100 MB", &["SADD n {100000000*m}"]),
        Attack::of("SISMEMBER of 100 MB", &["SISMEMBER n {100000000*m}"]),
        Attack::of("SUNIONSTORE of 100 MB", &["SUNIONSTORE d n"]),
        Attack::of("SMOVE of 100 MB", &["SMOVE n e {100000000*m}"]),
        Attack::of("SPOP of 100 MB", &["SPOP e"]),
        Attack::of("DUMP of a set of 1,000,000", &["DUMP a"]),
        Attack::of(
            "DEBUG DIGEST-VALUE of a set of 1,000,000",
            &["DEBUG DIGEST-VALUE a"],
        ),
        Attack::of(
            "COPY of a set of 1,000,000",
            &["COPY a c", "SADD a x", "SADD c y"],
        )
        .then(&["UNLINK c"]),
        Attack::of("SUNIONSTORE over a set of 1,000,000", &["SUNIONSTORE d s1"])
            .after(&["SUNIONSTORE d a"]),
        Attack::of("SET over a set of 1,000,000", &["SET a v"]),
        Attack::of("DEL of a set of 1,000,000", &["DEL a"]).after(REFILL),
        Attack::of("UNLINK of a set of 1,000,000", &["UNLINK a"]).after(REFILL),
        Attack::of("a set of 1,000,000 that expires", &["PEXPIREAT a 1"]).after(REFILL),
        Attack::of("FLUSHALL of large and many sets", &["FLUSHALL"]).after(REFILL),
        Attack::of(
            "eviction of a set of 1,000,000",
            &[
                "CONFIG SET maxmemory 30mb",
                "SET x v",
                "CONFIG SET maxmemory 0",
            ],
        )
        .after(REFILL),
    ],
};
