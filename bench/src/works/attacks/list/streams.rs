//! A stream of two million entries.

use super::{Attack, Ground};

const REFILL: &[&str] = &["DEL s", "2000000 * XADD s 1-# f v"];

pub(super) const GROUND: Ground = Ground {
    name: "streams",
    flags: &[("enable-debug-command", "yes")],
    data: &["XADD s 0-1 f v", "2000000 * XADD s 1-# f v"],
    attacks: &[
        Attack::of("XRANGE of 2,000,000 entries", &["XRANGE s - +"]),
        Attack::of("XREVRANGE of 2,000,000 entries", &["XREVRANGE s + -"]),
        Attack::of("XREAD of 2,000,000 entries", &["XREAD STREAMS s 0"]),
        Attack::of(
            "XREAD of 1 stream, 100,000 times",
            &["XREAD COUNT 1 STREAMS {100000 x s} {100000 x 0}"],
        ),
        Attack::of(
            "XINFO STREAM FULL COUNT 0",
            &["XINFO STREAM s FULL COUNT 0"],
        ),
        Attack::of("MEMORY USAGE SAMPLES 0", &["MEMORY USAGE s SAMPLES 0"]),
        Attack::of("DUMP of 2,000,000 entries", &["DUMP s"]),
        Attack::of("DEBUG DIGEST of 2,000,000 entries", &["DEBUG DIGEST"]),
        Attack::of(
            "COPY of 2,000,000 entries",
            &["COPY s t", "XADD s * f v", "XDEL t 1-1"],
        )
        .then(&["UNLINK t"]),
        Attack::of(
            "XDEL of 200,000 entries in any order",
            &["XDEL s {200000 x 1-~}"],
        ),
        Attack::of(
            "XDEL of 200,000 entries far from each other",
            &["XDEL s {200000 x 1-~0}"],
        ),
        Attack::of(
            "XDELEX of 150,000 entries far from each other",
            &["XDELEX s IDS {150000} {150000 x 1-~1}"],
        ),
        Attack::of(
            "XDEL of 200,000 IDs that are not there",
            &["XDEL s {200000 x 2-~}"],
        ),
        Attack::of("XADD of 100,000 fields", &["XADD t * {100000 x f# v}"]),
        Attack::of("XADD of 100 MB", &["XADD t * f {100000000*v}"]),
        Attack::of("XRANGE of an entry of 100 MB", &["XRANGE t - +"]),
        Attack::of("DEL of a stream with an entry of 100 MB", &["DEL t"]),
        Attack::of("XTRIM of 2,000,000 entries", &["XTRIM s MAXLEN 10"]).after(REFILL),
        Attack::of(
            "XTRIM ~ of 2,000,000 entries",
            &["XTRIM s MAXLEN ~ 10 LIMIT 0"],
        )
        .after(REFILL),
        Attack::of(
            "XADD MAXLEN that trims 2,000,000 entries",
            &["XADD s MAXLEN 10 * f v"],
        )
        .after(REFILL),
        Attack::of(
            "XTRIM DELREF of 2,000,000 entries, 10 groups",
            &["XTRIM s MAXLEN 10 DELREF"],
        )
        .after(&[
            "DEL s",
            "2000000 * XADD s 1-# f v",
            "10 * XGROUP CREATE s g# 0",
        ]),
        Attack::of(
            "XTRIM ACKED of 2,000,000 entries, 10 groups",
            &["XTRIM s MAXLEN 10 ACKED"],
        )
        .after(&[
            "DEL s",
            "2000000 * XADD s 1-# f v",
            "10 * XGROUP CREATE s g# $",
        ]),
        Attack::of("SET over a stream of 2,000,000 entries", &["SET s v"]).after(REFILL),
        Attack::of("DEL of a stream of 2,000,000 entries", &["DEL s"]).after(REFILL),
        Attack::of("UNLINK of a stream of 2,000,000 entries", &["UNLINK s"]).after(REFILL),
        Attack::of(
            "XCFGSET that forgets 500,000 producers",
            &["XCFGSET s IDMP-DURATION 7"],
        )
        .after(&["DEL s", "500000 * XADD s IDMP p# i * f v"])
        .then(&["DEL s"]),
        Attack::of(
            "XSETID and XLEN, 100,000 times",
            &["100000 * XSETID s 5-0", "100000 * XLEN s"],
        )
        .after(&["XADD s 1-1 f v"]),
    ],
};
