//! A list of two million elements, and one half of whose elements are equal.

use super::{Attack, Ground};

const REFILL: &[&str] = &[
    "DEL l",
    "RPUSH l {1000000 x v#}",
    "RPUSH l {1000000 x w#}",
    "RPUSH l last",
];

const REFILL_EQUAL: &[&str] = &["DEL m", "RPUSH m {500000 x e v#}"];

pub(super) const GROUND: Ground = Ground {
    name: "lists",
    flags: &[
        ("enable-debug-command", "yes"),
        ("maxmemory-policy", "allkeys-random"),
    ],
    data: REFILL,
    attacks: &[
        Attack::of("LRANGE of 2,000,000 elements", &["LRANGE l 0 -1"]),
        Attack::of(
            "LINDEX and LSET in the middle, 10,000 times",
            &["10000 * LINDEX l 1000000", "10000 * LSET l 1000000 v"],
        ),
        Attack::of("LPOS of the last of 2,000,000", &["LPOS l last"]),
        Attack::of(
            "LPOS RANK -1 of none of 2,000,000",
            &["LPOS l none RANK -1"],
        ),
        Attack::of(
            "LPOS COUNT 0 of 500,000 equal elements",
            &["LPOS m e COUNT 0"],
        )
        .after(REFILL_EQUAL),
        Attack::of(
            "LINSERT before the last of 2,000,000",
            &["LINSERT l BEFORE last v"],
        ),
        Attack::of(
            "LINSERT beside none of 2,000,000",
            &["LINSERT l BEFORE none v"],
        ),
        Attack::of(
            "SORT of 2,000,000 texts, the first 10",
            &["SORT l ALPHA LIMIT 0 10"],
        ),
        Attack::of(
            "SORT of 1,000,000 texts by keys that are missing",
            &["SORT m BY w_* GET x_* LIMIT 0 10"],
        ),
        Attack::of("LREM of the last of 2,000,000", &["LREM l 0 last"]),
        Attack::of("LREM of none of 2,000,000", &["LREM l -1 none"]),
        Attack::of("LREM of 500,000 elements of 1,000,000", &["LREM m 0 e"]),
        Attack::of("LPUSH of 1,000,000 elements", &["LPUSH n {1000000 x v#}"]),
        Attack::of("LPOP of 1,000,000 elements", &["LPOP n {1000000}"]),
        Attack::of(
            "LMPOP of 500,000 elements behind 100,000 missing keys",
            &["LMPOP {100001} {100000 x z#} m RIGHT COUNT {500000}"],
        )
        .after(REFILL_EQUAL),
        Attack::of(
            "LMOVE from end to end, 10,000 times",
            &["10000 * LMOVE l l LEFT RIGHT"],
        ),
        Attack::of("LTRIM of 2,000,000 elements to 10", &["LTRIM l 0 9"]),
        Attack::of(
            "LTRIM of 2,000,000 elements to 10 in the middle",
            &["LTRIM l 1000000 1000009"],
        )
        .after(REFILL),
        Attack::of("LTRIM of 2,000,000 elements to none", &["LTRIM l 5 1"]).after(REFILL),
        Attack::of("RPUSH of 100 MB", &["RPUSH n {100000000*v}"]),
        Attack::of("LRANGE of an element of 100 MB", &["LRANGE n 0 -1"]),
        Attack::of("LPOS beside an element of 100 MB", &["LPOS n x"]),
        Attack::of("LPOP of 100 MB", &["LPOP n"]),
        Attack::of("DUMP of 2,000,000 elements", &["DUMP l"]).after(REFILL),
        Attack::of(
            "DEBUG DIGEST-VALUE of a list of 2,000,000",
            &["DEBUG DIGEST-VALUE l"],
        ),
        Attack::of(
            "COPY of a list of 2,000,000",
            &["COPY l c", "LPUSH l v", "LSET c 1000000 v"],
        )
        .then(&["UNLINK c"]),
        Attack::of("RENAME over a list of 2,000,000", &["RENAME x l"]).after(&["SET x v"]),
        Attack::of("SET over a list of 2,000,000", &["SET l v"]).after(REFILL),
        Attack::of("DEL of a list of 2,000,000", &["DEL l"]).after(REFILL),
        Attack::of("UNLINK of a list of 2,000,000", &["UNLINK l"]).after(REFILL),
        Attack::of("a list of 2,000,000 that expires", &["PEXPIREAT l 1"]).after(REFILL),
        Attack::of(
            "eviction of a list of 2,000,000",
            &[
                "CONFIG SET maxmemory 30mb",
                "SET x v",
                "CONFIG SET maxmemory 0",
            ],
        )
        .after(REFILL),
    ],
};
