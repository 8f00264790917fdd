//! Lists, between which elements move: an element is in one place or in none, never in two.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use engine::Engine;
use values::List;

use super::request::{Purpose, Request, request};
use crate::rng::Rng;

const LISTS: u64 = 3;

/// An element that is not told apart from others like it.
const MARK: &str = "mark";

/// A change of a list, or a wait for an element. All elements but marks are pushed once.
pub(super) fn requests(rng: &mut Rng) -> Vec<Request> {
    if rng.once_in(3) {
        return vec![wait(rng)];
    }
    (0..1 + rng.below(4)).map(|_| change(rng)).collect()
}

fn change(rng: &mut Rng) -> Request {
    let (key, other) = (list(rng), list(rng));
    let (from, to) = (end(rng), end(rng));
    let (first, second) = (rng.number().to_string(), rng.number().to_string());
    let (selector, order) = selection(rng);
    match rng.below(28) {
        0..4 => request!(Purpose::Any, "RPUSH", key, first, second),
        4..6 => request!(Purpose::Any, "LPUSH", key, MARK, first),
        6 => request!(
            Purpose::Any,
            "RPUSH",
            key,
            first + &"l".repeat(rng.index(5000))
        ),
        7..12 => request!(Purpose::Any, "LMOVE", key, other, from, to),
        12 => request!(Purpose::Any, "RPOPLPUSH", key, other),
        13 => request!(Purpose::Any, "LPOP", key),
        14 => request!(Purpose::Any, "RPOP", key, 1 + rng.below(3)),
        15 => request!(Purpose::Any, "LMPOP", 2, key, other, from, "COUNT", 2),
        16 => request!(Purpose::Any, "LSET", key, rng.below(4), first),
        17 => request!(Purpose::Any, "LINSERT", key, "AFTER", MARK, first),
        18 => request!(Purpose::Any, "LREM", key, 1, MARK),
        19 => request!(Purpose::Any, "LTRIM", key, rng.below(2), 40),
        20 => request!(Purpose::Any, "RENAME", key, other),
        21 => request!(Purpose::Any, "PEXPIRE", key, 1 + rng.below(3000)),
        22 => request!(Purpose::Look, "LRANGE", key, 0, -1),
        23 => request!(Purpose::Any, "SORT", key, "ALPHA", "STORE", key),
        24..27 => {
            let count = 1 + rng.below(4);
            request!(
                Purpose::Any,
                "LMOVEM",
                key,
                other,
                from,
                to,
                selector,
                count,
                order
            )
        }
        _ => request!(Purpose::Look, "LPOS", key, MARK),
    }
}

fn wait(rng: &mut Rng) -> Request {
    let (key, other) = (list(rng), list(rng));
    let (from, to) = (end(rng), end(rng));
    let seconds = ["0.05", "0.4", "2"][rng.index(3)];
    let (selector, order) = selection(rng);
    match rng.below(7) {
        0 => request!(Purpose::Any, "BLPOP", key, other, seconds),
        1 => request!(Purpose::Any, "BRPOP", key, seconds),
        2 => request!(Purpose::Any, "BLMPOP", seconds, 2, key, other, from),
        3..5 => {
            let count = 1 + rng.below(4);
            request!(
                Purpose::Any,
                "BLMOVEM",
                key,
                other,
                from,
                to,
                seconds,
                selector,
                count,
                order
            )
        }
        _ => request!(Purpose::Any, "BLMOVE", key, other, from, to, seconds),
    }
}

fn list(rng: &mut Rng) -> String {
    format!("l:{}", rng.below(LISTS))
}

fn end(rng: &mut Rng) -> &'static str {
    match rng.once_in(2) {
        true => "LEFT",
        false => "RIGHT",
    }
}

/// How many elements move, and in which order.
fn selection(rng: &mut Rng) -> (&'static str, &'static str) {
    let selector = ["COUNT", "EXACTLY"][rng.index(2)];
    (selector, ["OBO", "BULK"][rng.index(2)])
}

/// Checks that no element is in two places.
///
/// # Errors
/// One is.
pub(super) fn ensure_nothing_is_twice(engine: &Engine) -> Result<()> {
    let keyspace = engine.keyspace();
    let mut seen = BTreeSet::new();
    for number in 0..LISTS {
        let key = format!("l:{number}");
        let record = keyspace.find(0, keyspace.hash(key.as_bytes()), key.as_bytes());
        let list = record.and_then(|record| record.value().get::<List>());
        for element in list.iter().flat_map(|list| list.iter()) {
            let element = element.to_vec();
            ensure!(
                element == MARK.as_bytes() || seen.insert(element.clone()),
                "element {} is twice in {key} and the lists before",
                element.escape_ascii()
            );
        }
    }
    Ok(())
}
