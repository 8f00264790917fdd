//! A million keys, and commands that name or match many.

use super::{Attack, Ground};

pub(super) const GROUND: Ground = Ground {
    name: "keys",
    flags: &[("enable-debug-command", "yes")],
    data: &["1000000 * SET k# v"],
    attacks: &[
        Attack::of("KEYS * of 1,000,000 keys", &["KEYS *"]),
        Attack::of("KEYS that match none of 1,000,000", &["KEYS x*y*z"]),
        Attack::of(
            "SCAN of 1,000,000 keys at once",
            &["SCAN 0 COUNT 1000000000"],
        ),
        Attack::of("RANDOMKEY, 10,000 times", &["10000 * RANDOMKEY"]),
        Attack::of("EXISTS of 1,000,000 keys", &["EXISTS {1000000 x k~}"]),
        Attack::of("TOUCH of 1,000,000 keys", &["TOUCH {1000000 x k~}"]),
        Attack::of("MGET of 1,000,000 keys", &["MGET {1000000 x k~}"]),
        Attack::of("MSET of 1,000,000 keys", &["MSET {1000000 x k~ w}"]),
        Attack::of(
            "MSETNX of 1,000,000 keys, the first of which is there",
            &["MSETNX {1000000 x k~ w}"],
        ),
        Attack::of("MSETNX of 500,000 new keys", &["MSETNX {500000 x e~ w}"])
            .then(&["DEL {500000 x e#}"]),
        Attack::of(
            "MSETEX of 500,000 keys",
            &["MSETEX {500000} {500000 x e~ w} EX 1000"],
        )
        .then(&["DEL {500000 x e#}"]),
        Attack::of(
            "COMMAND GETKEYS of 1,000,000 keys",
            &["COMMAND GETKEYS DEL {1000000 x k~}"],
        ),
        Attack::of("WATCH of 40,000 keys", &["WATCH {40000 x k~}"]),
        Attack::of(
            "WATCH of 20,000 keys, twice, and EXEC",
            &[
                "WATCH {20000 x k~}",
                "WATCH {20000 x k~}",
                "MULTI",
                "PING",
                "EXEC",
            ],
        ),
        Attack::of("SWAPDB of 1,000,000 keys", &["2 * SWAPDB 0 1"]),
        Attack::of("DEBUG DIGEST of 1,000,000 keys", &["DEBUG DIGEST"]),
        Attack::of("DEL of 200,000 keys", &["DEL {200000 x k~}"]).then(&["200000 * SET k# v"]),
        Attack::of("UNLINK of 200,000 keys", &["UNLINK {200000 x k~}"])
            .then(&["200000 * SET k# v"]),
        Attack::of("300,000 keys that expire at one moment", &["PING"])
            .after(&["DEBUG SET-ACTIVE-EXPIRE 0", "300000 * SET e# v PX 1"])
            .beside(1, &["DEBUG SET-ACTIVE-EXPIRE 1"])
            .then(&["DEL {300000 x e#}"]),
        Attack::of(
            "SWAPDB of 1,000,000 keys with a time to live",
            &["2 * SWAPDB 0 1"],
        )
        .after(&["1000000 * EXPIRE k# 1000#"]),
        Attack::of(
            "FLUSHALL of 1,000,000 keys with a time to live",
            &["FLUSHALL"],
        )
        .then(&["1000000 * SET k# v EX 10000"]),
        Attack::of("FLUSHDB ASYNC of 1,000,000 keys", &["FLUSHDB ASYNC"]),
    ],
};
