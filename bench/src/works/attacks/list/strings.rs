//! Strings of hundreds of megabytes, long names and long patterns.

use super::{Attack, Ground};

pub(super) const GROUND: Ground = Ground {
    name: "strings",
    flags: &[("enable-debug-command", "yes")],
    data: &[
        "SETRANGE a {255999999} x",
        "SETRANGE b {255999999} y",
        "SETRANGE m {9999999} x",
    ],
    attacks: &[
        Attack::of("BITCOUNT of 256 MB", &["BITCOUNT a"]),
        Attack::of("BITPOS of 256 MB", &["BITPOS a 1"]),
        Attack::of("BITOP NOT of 256 MB", &["BITOP NOT d a"]),
        Attack::of("BITOP AND of twice 256 MB", &["BITOP AND d a b"]),
        Attack::of(
            "BITOP XOR of 8 times 256 MB",
            &["BITOP XOR d a b a b a b a b"],
        ),
        Attack::of("BITOP ONE of 4 times 256 MB", &["BITOP ONE d a b a b"]),
        Attack::of("BITOP DIFF of 4 times 256 MB", &["BITOP DIFF d a b a b"]),
        Attack::of("BITOP OR of 200 times 10 MB", &["BITOP OR e {200 x m}"]).then(&["DEL e"]),
        Attack::of(
            "BITFIELD of 100,000 fields",
            &["BITFIELD f {100000 x SET u8 # 1}"],
        ),
        Attack::of(
            "BITFIELD_RO of 100,000 fields",
            &["BITFIELD_RO a {100000 x GET u63 #}"],
        ),
        Attack::of("SETBIT far behind the end", &["SETBIT g {4000000000} 1"]).then(&["DEL g"]),
        Attack::of("SETRANGE far behind the end", &["SETRANGE g {500000000} x"]).then(&["DEL g"]),
        Attack::of("APPEND to 256 MB", &["APPEND a x"]),
        Attack::of("APPEND of 100 MB to 256 MB", &["APPEND d {100000000*x}"]),
        Attack::of("GETRANGE of 256 MB", &["GETRANGE a 0 -1"]),
        Attack::of("SUBSTR of 256 MB", &["SUBSTR a 0 -1"]),
        Attack::of("GET of 256 MB", &["GET a"]),
        Attack::of("GETEX of 256 MB", &["GETEX a PERSIST"]),
        Attack::of("GETSET of 256 MB", &["GETSET d x"]).after(&["COPY b d REPLACE"]),
        Attack::of("GETDEL of 256 MB", &["GETDEL d"]).after(&["COPY b d REPLACE"]),
        Attack::of("SET of 200 MB", &["SET g {200000000*x}"]),
        Attack::of("SET over 200 MB", &["SET g x"]),
        Attack::of("SET … GET over 200 MB", &["SET g x GET"]).after(&["SET g {200000000*x}"]),
        Attack::of("SET … IFEQ with 200 MB", &["SET g x IFEQ {200000000*x}"])
            .after(&["SET g {200000000*x}"]),
        Attack::of("DELEX … IFEQ with 200 MB", &["DELEX g IFEQ {200000000*x}"])
            .after(&["SET g {200000000*x}"]),
        Attack::of("DIGEST of 256 MB", &["DIGEST a"]),
        Attack::of("DEBUG DIGEST-VALUE of 256 MB", &["DEBUG DIGEST-VALUE a"]),
        Attack::of("DUMP of 256 MB of zeros", &["DUMP a"]),
        Attack::of("RENAME over 256 MB", &["RENAME g d"]).after(&["SET g x", "COPY b d REPLACE"]),
        Attack::of("COPY of 256 MB", &["COPY a d REPLACE"]),
        Attack::of("MOVE of 256 MB", &["MOVE d 1"]).then(&["SELECT 1", "DEL d"]),
        Attack::of("DEL of 256 MB", &["DEL d"]).after(&["COPY b d REPLACE"]),
        Attack::of("UNLINK of 256 MB", &["UNLINK d"]).after(&["COPY b d REPLACE"]),
        Attack::of("256 MB that expire", &["PEXPIREAT d 1"]).after(&["COPY b d REPLACE"]),
        Attack::of(
            "SET of a key with a name of 200 MB",
            &["SET {200000000*k} v"],
        ),
        Attack::of("GET of a key with a name of 200 MB", &["GET {200000000*k}"]),
        Attack::of("DEL of a key with a name of 200 MB", &["DEL {200000000*k}"]),
        Attack::of("ECHO of 200 MB", &["ECHO {200000000*x}"]),
        Attack::of("INCRBYFLOAT of 200 MB", &["INCRBYFLOAT g 1"]).after(&["SET g {200000000*1}"]),
        Attack::of("INCR of 200 MB", &["INCR g"]),
        Attack::of("LCS of 10,000 bytes each", &["LCS p q"])
            .after(&["SET p {5000*ab}", "SET q {5000*ba}"]),
        Attack::of("LCS IDX of 10,000 bytes each", &["LCS p q IDX"]),
        Attack::of("LCS of 100 MB and 1 byte", &["LCS r s"])
            .after(&["SET r {100000000*a}", "SET s a"])
            .then(&["DEL r s p q"]),
        Attack::of("MEMORY USAGE of 256 MB", &["MEMORY USAGE a SAMPLES 0"]),
        Attack::of(
            "KEYS with 10,000 stars, a key of 200 KB",
            &["KEYS {10000*a*}b"],
        )
        .after(&["FLUSHALL", "SET {200000*a} v"]),
        Attack::of(
            "KEYS with a long part, a key of 200 KB",
            &["KEYS *{20000*a}b*"],
        ),
        Attack::of(
            "SCAN MATCH with a long part, a key of 200 KB",
            &["SCAN 0 COUNT 1000 MATCH *{20000*a}b*"],
        ),
        Attack::of(
            "KEYS with a set of 20 KB, a key of 200 KB",
            &["KEYS *[{20000*b}]c*"],
        ),
        Attack::of(
            "COMMAND LIST FILTERBY PATTERN of 1 MB",
            &["COMMAND LIST FILTERBY PATTERN {500000*a*}b"],
        ),
        Attack::of(
            "CONFIG GET of 20,000 patterns",
            &["CONFIG GET {20000 x *a*b*c*#}"],
        ),
    ],
};
