//! Values of five million elements, which go at once.

use super::{Attack, Ground};

// In requests of many elements, so that most of the time goes into what is measured.
const LIST: &[&str] = &["10 * RPUSH v {500000 x element-#}"];
const HASH: &[&str] = &["10 * HSET v {500000 x field-%-# value-#}"];
const INTEGERS: &[&str] = &["10 * SADD v {500000 x 1%#}"];
const SET: &[&str] = &["10 * SADD v {500000 x member-%-#}"];
const SORTED_SET: &[&str] = &["10 * ZADD v {500000 x # member-%-#}"];

pub(super) const GROUND: Ground = Ground {
    name: "large",
    flags: &[],
    data: &[],
    attacks: &[
        Attack::of("DEL of a list of 5,000,000", &["DEL v"]).after(LIST),
        Attack::of("DEL of a hash of 5,000,000", &["DEL v"]).after(HASH),
        Attack::of("DEL of a set of 5,000,000 integers", &["DEL v"]).after(INTEGERS),
        Attack::of("DEL of a set of 5,000,000", &["DEL v"]).after(SET),
        Attack::of("DEL of a sorted set of 5,000,000", &["DEL v"]).after(SORTED_SET),
        Attack::of("UNLINK of a hash of 5,000,000", &["UNLINK v"]).after(HASH),
        Attack::of("SET over a set of 5,000,000", &["SET v x"])
            .after(SET)
            .then(&["DEL v"]),
        Attack::of("a sorted set of 5,000,000 that expires", &["PEXPIREAT v 1"]).after(SORTED_SET),
        Attack::of("FLUSHALL of a list of 5,000,000", &["FLUSHALL"]).after(LIST),
    ],
};
