//! Sorted set commands.

mod bzpop;
mod combined;
mod pop;
mod range;
mod reply;
pub(crate) mod store;
pub(crate) mod zadd;
mod zcard;
mod zcount;
mod zpop;
mod zrandmember;
mod zrange;
mod zrangestore;
mod zrank;
mod zrem;
mod zremrange;
mod zscan;
mod zscore;
mod zunion;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<bzpop::BZMPop>(),
    entry::<bzpop::BZPopMax>(),
    entry::<bzpop::BZPopMin>(),
    entry::<zadd::ZAdd>(),
    entry::<zcard::ZCard>(),
    entry::<zcount::ZCount>(),
    entry::<zunion::ZDiff>(),
    entry::<zunion::ZDiffStore>(),
    entry::<zadd::ZIncrBy>(),
    entry::<zunion::ZInter>(),
    entry::<zunion::ZInterCard>(),
    entry::<zunion::ZInterStore>(),
    entry::<zcount::ZLexCount>(),
    entry::<zpop::ZMPop>(),
    entry::<zscore::ZMScore>(),
    entry::<zpop::ZPopMax>(),
    entry::<zpop::ZPopMin>(),
    entry::<zrandmember::ZRandMember>(),
    entry::<zrange::ZRange>(),
    entry::<zrange::ZRangeByLex>(),
    entry::<zrange::ZRangeByScore>(),
    entry::<zrangestore::ZRangeStore>(),
    entry::<zrank::ZRank>(),
    entry::<zrem::ZRem>(),
    entry::<zremrange::ZRemRangeByLex>(),
    entry::<zremrange::ZRemRangeByRank>(),
    entry::<zremrange::ZRemRangeByScore>(),
    entry::<zrange::ZRevRange>(),
    entry::<zrange::ZRevRangeByLex>(),
    entry::<zrange::ZRevRangeByScore>(),
    entry::<zrank::ZRevRank>(),
    entry::<zscan::ZScan>(),
    entry::<zscore::ZScore>(),
    entry::<zunion::ZUnion>(),
    entry::<zunion::ZUnionStore>(),
];
