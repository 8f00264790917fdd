//! A group to which 500,000 entries were delivered, and many groups and consumers.

use super::{Attack, Ground};

const REFILL: &[&str] = &[
    "DEL s",
    "XADD s 0-1 f v",
    "500000 * XADD s 1-# f v",
    "XGROUP CREATE s g 0",
    "XREADGROUP GROUP g c STREAMS s >",
];

/// The same, and each pending entry that is given back waits for another time.
const PAUSES: &[&str] = &[
    "DEL s",
    "XADD s 0-1 f v",
    "500000 * XADD s 1-# f v",
    "XGROUP CREATE s g 0",
    "XGROUP SETCFG s g BACKOFF 100000 100000000 JITTER 100",
    "XREADGROUP GROUP g c STREAMS s >",
];

const TEN_GROUPS: &[&str] = &[
    "DEL s",
    "XADD s 0-1 f v",
    "500000 * XADD s 1-# f v",
    "XGROUP CREATE s g 0",
    "10 * XGROUP CREATE s g# 0",
    "XREADGROUP GROUP g c STREAMS s >",
    "10 * XREADGROUP GROUP g# c STREAMS s >",
];

const DEAD_LETTERS: &[&str] = &[
    "DEL s",
    "XADD s 0-1 f v",
    "500000 * XADD s 1-# f v",
    "XGROUP CREATE s g 0",
    "XGROUP SETCFG s g MAXDELIVERIES 1 DEADLETTER dead",
    "XREADGROUP GROUP g c STREAMS s >",
    "10 * XAUTOCLAIM s g d 0 0 COUNT 2000",
];

pub(super) const GROUND: Ground = Ground {
    name: "groups",
    flags: &[],
    data: REFILL,
    attacks: &[
        Attack::of(
            "XREADGROUP of 500,000 entries",
            &["XREADGROUP GROUP h c STREAMS s >"],
        )
        .after(&["XGROUP CREATE s h 0"])
        .then(&["XGROUP DESTROY s h"]),
        Attack::of(
            "XREADGROUP of a history of 500,000",
            &["XREADGROUP GROUP g c STREAMS s 0"],
        ),
        Attack::of("XPENDING of 500,000", &["XPENDING s g"]),
        Attack::of(
            "XPENDING of a range of 500,000",
            &["XPENDING s g - + 500000"],
        ),
        Attack::of(
            "XPENDING IDLE of 500,000, none of which is old",
            &["XPENDING s g IDLE 100000000 - + 10"],
        ),
        Attack::of("XPENDING of another consumer", &["XPENDING s g - + 10 d"])
            .after(&["XGROUP CREATECONSUMER s g d"]),
        Attack::of(
            "XCLAIM of 200,000 in any order",
            &["XCLAIM s g d 0 {200000 x 1-~}"],
        ),
        Attack::of(
            "XCLAIM JUSTID of 200,000 that are not pending",
            &["XCLAIM s g d 0 {200000 x 9-~} JUSTID"],
        ),
        Attack::of(
            "XAUTOCLAIM of 500,000",
            &["XAUTOCLAIM s g e 0 0 COUNT 500000"],
        ),
        Attack::of(
            "XAUTOCLAIM of 500,000, none of which is old",
            &["XAUTOCLAIM s g e 100000000 0 COUNT 50000"],
        ),
        Attack::of(
            "XNACK of 200,000",
            &["XNACK s g SILENT IDS {200000} {200000 x 1-~}"],
        ),
        Attack::of(
            "XNACK of 100,000, twice each",
            &["XNACK s g SILENT IDS {200000} {100000 x 1-~ 1-~}"],
        ),
        Attack::of(
            "XNACK of 200,000 that wait, each for itself",
            &["XNACK s g FAIL IDS {200000} {200000 x 1-~}"],
        )
        .after(PAUSES),
        Attack::of(
            "XTOUCH of 200,000 in any order",
            &["XTOUCH s g c {200000 x 1-~}"],
        )
        .after(REFILL),
        Attack::of("XACK of 200,000 in any order", &["XACK s g {200000 x 1-~}"]),
        Attack::of(
            "XACKDEL of 200,000 in any order",
            &["XACKDEL s g DELREF IDS {200000} {200000 x 1-~}"],
        )
        .after(REFILL),
        Attack::of(
            "XACKDEL ACKED of 200,000, 10 groups",
            &["XACKDEL s g ACKED IDS {200000} {200000 x 1-~}"],
        )
        .after(TEN_GROUPS),
        Attack::of(
            "XGROUP DELCONSUMER KEEPPENDING of 500,000",
            &["XGROUP DELCONSUMER s g c KEEPPENDING"],
        )
        .after(REFILL),
        Attack::of(
            "XGROUP DELCONSUMER KEEPPENDING of 500,000 that wait, each for itself",
            &["XGROUP DELCONSUMER s g c KEEPPENDING"],
        )
        .after(PAUSES),
        Attack::of(
            "XGROUP SETCFG and a read with 500,000 pending",
            &[
                "XGROUP SETCFG s g CLAIM 1 BACKOFF 100000 100000000 JITTER 100",
                "XREADGROUP GROUP g d COUNT 500000 STREAMS s >",
            ],
        )
        .after(REFILL),
        Attack::of(
            "XREDRIVE of 10,000 dead letters",
            &["XREDRIVE dead s COUNT 10000"],
        )
        .after(DEAD_LETTERS)
        .then(&["DEL dead"]),
        Attack::of(
            "XADDM of 1,000 entries, 100 times",
            &["100 * XADDM s ENTRIES {1000} {1000 x 1 f v}"],
        ),
        Attack::of(
            "XIDMPEPOCH of 100,000 producers",
            &["100000 * XIDMPEPOCH s p#"],
        ),
        Attack::of(
            "XADD MAXLEN ACKED beside 500,000 pending, 100 times",
            &["100 * XADD s MAXLEN 10 ACKED * f v"],
        )
        .after(REFILL),
        Attack::of(
            "XADD MAXLEN ~ ACKED beside 500,000 pending, 100 times",
            &["100 * XADD s MAXLEN ~ 10 ACKED * f v"],
        ),
        Attack::of(
            "XTRIM ACKED of 100,000 between pending ones, 10 times",
            &["10 * XTRIM s MAXLEN 10 ACKED"],
        )
        .after(&[
            "DEL s",
            "XADD s 0-1 f v",
            "1000000 * XADD s 1-# f v",
            "XGROUP CREATE s g 0",
            "XREADGROUP GROUP g c STREAMS s >",
            "XACK s g {100000 x 1-#1}",
        ]),
        Attack::of(
            "XTRIM DELREF of 500,000 pending",
            &["XTRIM s MAXLEN 10 DELREF"],
        )
        .after(REFILL),
        Attack::of(
            "XDELEX DELREF of 200,000 pending",
            &["XDELEX s DELREF IDS {200000} {200000 x 1-~}"],
        )
        .after(REFILL),
        Attack::of(
            "XINFO STREAM FULL COUNT 0 with 500,000 pending",
            &["XINFO STREAM s FULL COUNT 0"],
        )
        .after(REFILL),
        Attack::of(
            "XGROUP DELCONSUMER with 500,000 pending",
            &["XGROUP DELCONSUMER s g c"],
        ),
        Attack::of(
            "XGROUP DESTROY with 500,000 pending",
            &["XGROUP DESTROY s g"],
        )
        .after(REFILL),
        Attack::of("DEL of a stream with 500,000 pending", &["DEL s"]).after(REFILL),
        Attack::of("XINFO GROUPS of 10,000 groups", &["XINFO GROUPS s"])
            .after(&["1000 * XADD s 1-#1 f v", "10000 * XGROUP CREATE s g# 0"]),
        Attack::of(
            "XADD MAXLEN ACKED beside 10,000 groups, 1,000 times",
            &["1000 * XADD s MAXLEN 10 ACKED * f v"],
        ),
        Attack::of(
            "XDELEX DELREF of 1,000 beside 10,000 groups",
            &["XDELEX s DELREF IDS {1000} {1000 x 1-#1}"],
        ),
        Attack::of(
            "XINFO CONSUMERS of 100,000 consumers",
            &["XINFO CONSUMERS s g1"],
        )
        .after(&["100000 * XGROUP CREATECONSUMER s g1 c#"]),
        Attack::of("XPENDING beside 100,000 consumers", &["XPENDING s g1"]),
        Attack::of(
            "XGROUP SETID, 100,000 times",
            &["100000 * XGROUP SETID s g1 0"],
        )
        .then(&["DEL s"]),
        Attack::of(
            "a transaction on 2,000 streams that a client waits for",
            &["MULTI", "2000 * XADD w# 1-1 f v", "EXEC"],
        )
        .beside(1, &["XREAD BLOCK 0 STREAMS {2000 x w#} {2000 x 5-0}"])
        .then(&["FLUSHALL"]),
        Attack::of(
            "XADD to a stream that 500 clients wait for, 1,000 times",
            &["1000 * XADD w * f v"],
        )
        .after(&["XGROUP CREATE w g $ MKSTREAM"])
        .beside(500, &["XREADGROUP GROUP g c BLOCK 0 STREAMS w >"])
        .then(&["FLUSHALL"]),
    ],
};
