//! Replies that nobody takes, and requests that grow.

use super::{Attack, Ground};

pub(super) const GROUND: Ground = Ground {
    name: "replies",
    flags: &[],
    data: &["SETRANGE ten {9999999} x", "SETRANGE hundred {99999999} x"],
    attacks: &[
        Attack::of(
            "MGET of 10 MB, 100 times in one request",
            &["MGET {100 x ten}"],
        ),
        Attack::of(
            "MGET of 10 MB, 600 times in one request, not read",
            &["PING"],
        )
        .beside(1, &["MGET {600 x ten}"]),
        Attack::of("40 clients that GET 100 MB and do not read", &["PING"])
            .beside(40, &["GET hundred"]),
        Attack::of("EXEC of 100 GETs of 10 MB, not read", &["PING"])
            .beside(1, &["MULTI", "100 * GET ten", "EXEC"]),
        Attack::of("1,000 GETs of 10 MB in one pipeline, not read", &["PING"])
            .beside(1, &["1000 * GET ten"]),
        Attack::of(
            "20 unread MONITORs beside 200 MB of writes",
            &["20000 * SET k {10000*v}"],
        )
        .beside(20, &["MONITOR"]),
        Attack::of(
            "a MULTI queue of 2 GB",
            &["MULTI", "2000 * SET k {1000000*v}", "DISCARD"],
        ),
        Attack::of(
            "a MULTI queue of 5,000,000 small commands",
            &["MULTI", "5000000 * GET k", "DISCARD"],
        ),
        Attack::of("10 requests of 1,000,000 small arguments", &["PING"])
            .beside(10, &["DEL {1000000 x k#}"]),
    ],
};
