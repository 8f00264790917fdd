//! Hashes of a million fields.

use super::{Attack, Ground};

const REFILL: &[&str] = &["DEL h", "HSET h {1000000 x f# v}"];

pub(super) const GROUND: Ground = Ground {
    name: "hashes",
    flags: &[
        ("enable-debug-command", "yes"),
        ("maxmemory-policy", "allkeys-random"),
    ],
    data: REFILL,
    attacks: &[
        Attack::of("HGETALL of 1,000,000 fields", &["HGETALL h"]),
        Attack::of("HKEYS of 1,000,000 fields", &["HKEYS h"]),
        Attack::of("HVALS of 1,000,000 fields", &["HVALS h"]),
        Attack::of("HMGET of 1,000,000 fields", &["HMGET h {1000000 x f~}"]),
        Attack::of("HSCAN of 1,000,000 fields", &["HSCAN h 0 COUNT 1000000000"]),
        Attack::of(
            "HSCAN MATCH of none of 1,000,000",
            &["HSCAN h 0 COUNT 1000000000 MATCH x*y*z"],
        ),
        Attack::of(
            "HRANDFIELD of 1,000,000 draws of 1,000,000",
            &["HRANDFIELD h -{1000000} WITHVALUES"],
        ),
        Attack::of(
            "HRANDFIELD of 900,000 fields of 1,000,000",
            &["HRANDFIELD h {900000} WITHVALUES"],
        ),
        Attack::of(
            "HRANDFIELD of 200,000 fields of 1,000,000",
            &["HRANDFIELD h {200000} WITHVALUES"],
        ),
        Attack::of(
            "HSET of 1,000,000 fields over others",
            &["HSET h {1000000 x f~ w}"],
        ),
        Attack::of("HSET of 1,000,000 new fields", &["HSET n {1000000 x f~ w}"])
            .then(&["UNLINK n"]),
        Attack::of(
            "HSETEX of 500,000 fields",
            &["HSETEX h EX 1000 FIELDS {500000} {500000 x f~ w}"],
        ),
        Attack::of(
            "HSETEX FNX of 500,000 fields, the last of which is there",
            &["HSETEX h FNX EX 1000 FIELDS {500001} {500000 x e# w} f1 w"],
        ),
        Attack::of(
            "HEXPIRE of 1,000,000 fields",
            &["HEXPIRE h 1000 FIELDS {1000000} {1000000 x f~}"],
        ),
        Attack::of(
            "HTTL of 1,000,000 fields",
            &["HTTL h FIELDS {1000000} {1000000 x f~}"],
        ),
        Attack::of(
            "HGETEX of 1,000,000 fields",
            &["HGETEX h EX 2000 FIELDS {1000000} {1000000 x f~}"],
        ),
        Attack::of(
            "HPERSIST of 1,000,000 fields",
            &["HPERSIST h FIELDS {1000000} {1000000 x f~}"],
        ),
        Attack::of(
            "HGETDEL of 500,000 fields",
            &["HGETDEL h FIELDS {500000} {500000 x f~}"],
        ),
        Attack::of("HDEL of 500,000 fields", &["HDEL h {1000000 x f~}"]),
        Attack::of(
            "HEXPIRE of 1,000,000 fields into the past",
            &["HPEXPIREAT h 1 FIELDS {1000000} {1000000 x f~}"],
        )
        .after(REFILL),
        Attack::of("300,000 fields that expire at one moment", &["PING"])
            .after(&[
                "DEL h",
                "DEBUG SET-ACTIVE-EXPIRE 0",
                "HSETEX h PX 1 FIELDS {300000} {300000 x f~ w}",
                "HSET h f v",
            ])
            .beside(1, &["DEBUG SET-ACTIVE-EXPIRE 1"]),
        Attack::of(
            "HGETALL, HRANDFIELD and HSCAN of 300,000 expired fields",
            &[
                "HGETALL h",
                "HRANDFIELD h 100",
                "HSCAN h 0 COUNT 1000000000",
            ],
        )
        .after(&[
            "DEL h",
            "DEBUG SET-ACTIVE-EXPIRE 0",
            "HSETEX h PX 1 FIELDS {300000} {300000 x f~ w}",
            "HSET h f v",
        ])
        .then(&["DEBUG SET-ACTIVE-EXPIRE 1"]),
        Attack::of("HSET of 100 MB", &["HSET n f {100000000*v}"]),
        Attack::of("HGETALL of 100 MB", &["HGETALL n"]),
        Attack::of("HDEL of 100 MB", &["HDEL n f"]),
        Attack::of(
            "HSET of a field with a name of 100 MB",
            &["HSET n {100000000*f} v"],
        ),
        Attack::of(
            "HGET of a field with a name of 100 MB",
            &["HGET n {100000000*f}"],
        ),
        Attack::of("HKEYS of a field with a name of 100 MB", &["HKEYS n"]).then(&["DEL n"]),
        Attack::of("DUMP of 1,000,000 fields", &["DUMP h"]).after(REFILL),
        Attack::of(
            "DEBUG DIGEST-VALUE of a hash of 1,000,000",
            &["DEBUG DIGEST-VALUE h"],
        ),
        Attack::of(
            "COPY of a hash of 1,000,000",
            &["COPY h c", "HSET h f1 v", "HSET c f2 v"],
        )
        .then(&["UNLINK c"]),
        Attack::of("SET over a hash of 1,000,000", &["SET h v"]),
        Attack::of("DEL of a hash of 1,000,000", &["DEL h"]).after(REFILL),
        Attack::of("UNLINK of a hash of 1,000,000", &["UNLINK h"]).after(REFILL),
        Attack::of("DEL of a hash of 1,000,000 whose fields expire", &["DEL h"])
            .after(&["HSETEX h EX 1000 FIELDS {1000000} {1000000 x f# v}"]),
        Attack::of("a hash of 1,000,000 that expires", &["PEXPIREAT h 1"]).after(REFILL),
        Attack::of(
            "eviction of a hash of 1,000,000",
            &[
                "CONFIG SET maxmemory 30mb",
                "SET x v",
                "CONFIG SET maxmemory 0",
            ],
        )
        .after(REFILL),
    ],
};
