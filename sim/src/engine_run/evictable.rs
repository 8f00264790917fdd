//! Clients of a server that may evict any key: they change and read values of all types, and rely
//! on none of them. What was evicted must stay away: a log that does not have that brings it back.

use super::bystander;
use super::elements;
use super::lists;
use super::request::{Purpose, Request, request};
use crate::rng::Rng;

/// Draws what a client does next.
pub(super) fn requests(rng: &mut Rng) -> Vec<Request> {
    vec![match rng.below(10) {
        0 => bystander::hash(rng),
        1 => bystander::fields(rng),
        2 => bystander::estimate(rng),
        3 => elements::sorted_set(rng),
        4 => elements::set(rng),
        5 => elements::place(rng),
        6 => return lists::requests(rng),
        7 => return bystander::expiring(rng),
        8 => stream(rng),
        _ => string(rng),
    }]
}

fn string(rng: &mut Rng) -> Request {
    let key = format!("m:{}", rng.below(20));
    match rng.below(6) {
        0..3 => request!(Purpose::Any, "SET", key, "v".repeat(rng.index(40))),
        3 => request!(Purpose::Any, "APPEND", key, "tail"),
        4 => request!(Purpose::Look, "GET", key),
        _ => request!(Purpose::Any, "DEL", key),
    }
}

fn stream(rng: &mut Rng) -> Request {
    let (key, iid) = (format!("stream:{}", rng.below(3)), rng.below(20));
    match rng.below(6) {
        0..3 => request!(Purpose::Any, "XADD", key, "IDMP", "p", iid, "*", "f", "v"),
        3 => request!(
            Purpose::Any,
            "XADD",
            key,
            "DELAY",
            rng.below(500),
            "*",
            "f",
            "v"
        ),
        4 => request!(Purpose::Any, "XGROUP", "CREATE", key, "g", "0", "MKSTREAM"),
        _ => request!(
            Purpose::Any,
            "XREADGROUP",
            "GROUP",
            "g",
            "c",
            "STREAMS",
            key,
            ">"
        ),
    }
}
