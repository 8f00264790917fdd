//! Values of ten million elements, which go at once.

use super::{Attack, Ground};

const LIST: &[&str] = &["100000 * RPUSH v {100 x element-#}"];
const HASH: &[&str] = &["10000000 * HSET v field-# value-#"];
const INTEGERS: &[&str] = &["10000000 * SADD v #"];
const SET: &[&str] = &["10000000 * SADD v member-#"];
const SORTED_SET: &[&str] = &["10000000 * ZADD v # member-#"];

pub(super) const GROUND: Ground = Ground {
    name: "large",
    flags: &[],
    data: &[],
    attacks: &[
        Attack::of("DEL of a list of 10,000,000", &["DEL v"]).after(LIST),
        Attack::of("DEL of a hash of 10,000,000", &["DEL v"]).after(HASH),
        Attack::of("DEL of a set of 10,000,000 integers", &["DEL v"]).after(INTEGERS),
        Attack::of("DEL of a set of 10,000,000", &["DEL v"]).after(SET),
        Attack::of("DEL of a sorted set of 10,000,000", &["DEL v"]).after(SORTED_SET),
        Attack::of("UNLINK of a hash of 10,000,000", &["UNLINK v"]).after(HASH),
        Attack::of("SET over a set of 10,000,000", &["SET v x"])
            .after(SET)
            .then(&["DEL v"]),
        Attack::of(
            "a sorted set of 10,000,000 that expires",
            &["PEXPIREAT v 1"],
        )
        .after(SORTED_SET),
        Attack::of("FLUSHALL of a list of 10,000,000", &["FLUSHALL"]).after(LIST),
    ],
};
