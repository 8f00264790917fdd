//! Sets, sorted sets, and places, in which anything may happen to members.

use super::request::{Purpose, Request, request};
use crate::rng::Rng;

/// Sets, of which one is small.
pub(super) fn set(rng: &mut Rng) -> Request {
    let number = rng.below(3);
    let (key, other) = (format!("set:{number}"), format!("set:{}", rng.below(3)));
    let mut member = || match rng.below(6) {
        0 => format!("m{}", rng.below(4 + 300 * number)),
        1 => "m".repeat(rng.index(3000)),
        _ => rng.below(4 + 300 * number).to_string(),
    };
    let (member, second, third) = (member(), member(), member());
    match rng.below(24) {
        0..6 => request!(Purpose::Any, "SADD", key, member, second, third),
        6 => {
            let mut words = vec!["SADD".to_owned(), key];
            words.extend((0..rng.below(700)).map(|n| n.to_string()));
            words.push(member);
            Request::new(&words, Purpose::Any)
        }
        7..9 => request!(Purpose::Any, "SREM", key, member, second),
        9..11 => request!(Purpose::Any, "SMOVE", key, other, member),
        11..13 => request!(Purpose::Any, "SPOP", key),
        13 => request!(Purpose::Any, "SPOP", key, rng.below(700)),
        14 => request!(Purpose::Any, "SINTERSTORE", key, key, other),
        15 => request!(Purpose::Any, "SUNIONSTORE", key, key, other),
        16 => request!(Purpose::Any, "SDIFFSTORE", key, other, key),
        17 => request!(Purpose::Any, "UNLINK", key),
        18 => request!(Purpose::Any, "RENAME", key, other),
        19 => request!(Purpose::Any, "COPY", key, other, "REPLACE"),
        20 => request!(Purpose::Any, "PEXPIRE", key, 1 + rng.below(3000)),
        21 => request!(Purpose::Look, "SINTERCARD", 2, key, other),
        22 => request!(Purpose::Look, "SMISMEMBER", key, member, second),
        _ => request!(Purpose::Look, "SCARD", key),
    }
}

/// Places, and searches whose results are stored.
pub(super) fn place(rng: &mut Rng) -> Request {
    let (key, other) = (
        format!("geo:{}", rng.below(2)),
        format!("geo:{}", rng.below(2)),
    );
    let member = format!("p{}", rng.below(12));
    let (longitude, latitude) = (rng.below(360) as f64 - 180.0, rng.below(170) as f64 - 85.0);
    let metres = 10_u64.pow(rng.below(8) as u32);
    match rng.below(8) {
        0..4 => request!(Purpose::Any, "GEOADD", key, longitude, latitude, member),
        4 => request!(
            Purpose::Any,
            "GEOSEARCHSTORE",
            other,
            key,
            "FROMLONLAT",
            longitude,
            latitude,
            "BYRADIUS",
            metres,
            "M"
        ),
        5 => request!(
            Purpose::Any,
            "GEORADIUS",
            key,
            longitude,
            latitude,
            metres,
            "M",
            "STOREDIST",
            "geo:far"
        ),
        6 => request!(Purpose::Any, "ZREM", key, member),
        _ => request!(Purpose::Look, "GEOPOS", key, member),
    }
}

pub(super) fn sorted_set(rng: &mut Rng) -> Request {
    let key = format!("z:{}", rng.below(3));
    let other = format!("z:{}", rng.below(3));
    let member = format!("m{}", rng.below(9));
    let score = rng.below(5);
    match rng.below(16) {
        0..5 => request!(Purpose::Any, "ZADD", key, score, member, "2.5", "m1"),
        5 => request!(Purpose::Any, "ZADD", key, "GT", "CH", score, member),
        6 => request!(Purpose::Any, "ZINCRBY", key, "0.1", member),
        7 => request!(Purpose::Any, "ZREM", key, member),
        8 => request!(Purpose::Any, "ZPOPMIN", key, score),
        9 => request!(Purpose::Any, "ZREMRANGEBYSCORE", key, "(1", score),
        10 => request!(Purpose::Any, "ZMPOP", "2", key, other, "MAX"),
        11 => request!(Purpose::Any, "ZUNIONSTORE", key, "2", key, other),
        12 => request!(Purpose::Any, "ZINTERSTORE", "z:3", "2", key, other),
        13 => request!(Purpose::Any, "ZRANGESTORE", other, key, "0", "4"),
        14 => request!(Purpose::Any, "COPY", key, other, "REPLACE"),
        _ => request!(
            Purpose::Any,
            "ZADD",
            key,
            score,
            "a member of more bytes than one may have that lies in a listpack."
        ),
    }
}
