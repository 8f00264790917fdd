//! Sorted set commands.

mod range;
mod reply;
mod zadd;
mod zcard;
mod zrange;
mod zrank;
mod zrem;
mod zscore;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<zadd::ZAdd>(),
    entry::<zcard::ZCard>(),
    entry::<zadd::ZIncrBy>(),
    entry::<zscore::ZMScore>(),
    entry::<zrange::ZRange>(),
    entry::<zrange::ZRangeByLex>(),
    entry::<zrange::ZRangeByScore>(),
    entry::<zrank::ZRank>(),
    entry::<zrem::ZRem>(),
    entry::<zrange::ZRevRange>(),
    entry::<zrange::ZRevRangeByLex>(),
    entry::<zrange::ZRevRangeByScore>(),
    entry::<zrank::ZRevRank>(),
    entry::<zscore::ZScore>(),
];
