//! Hash commands.

mod field_list;
mod hdel;
mod hexists;
mod hexpire;
mod hget;
mod hgetall;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hlen;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod hsetnx;
mod hstrlen;
mod httl;
mod options;
mod until;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<hdel::HDel>(),
    entry::<hexists::HExists>(),
    entry::<hexpire::HExpire>(),
    entry::<hexpire::HExpireAt>(),
    entry::<httl::HExpireTime>(),
    entry::<hget::HGet>(),
    entry::<hgetall::HGetAll>(),
    entry::<hgetdel::HGetDel>(),
    entry::<hgetex::HGetEx>(),
    entry::<hincrby::HIncrBy>(),
    entry::<hincrby::HIncrByFloat>(),
    entry::<hgetall::HKeys>(),
    entry::<hlen::HLen>(),
    entry::<hget::HMGet>(),
    entry::<hset::HMSet>(),
    entry::<httl::HPersist>(),
    entry::<hexpire::HPExpire>(),
    entry::<hexpire::HPExpireAt>(),
    entry::<httl::HPExpireTime>(),
    entry::<httl::HPTtl>(),
    entry::<hrandfield::HRandField>(),
    entry::<hscan::HScan>(),
    entry::<hset::HSet>(),
    entry::<hsetex::HSetEx>(),
    entry::<hsetnx::HSetNx>(),
    entry::<hstrlen::HStrLen>(),
    entry::<httl::HTtl>(),
    entry::<hgetall::HVals>(),
];
