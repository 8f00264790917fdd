//! Hash commands.

mod hdel;
mod hexists;
mod hget;
mod hgetall;
mod hincrby;
mod hlen;
mod hset;
mod hsetnx;
mod hstrlen;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<hdel::HDel>(),
    entry::<hexists::HExists>(),
    entry::<hget::HGet>(),
    entry::<hgetall::HGetAll>(),
    entry::<hincrby::HIncrBy>(),
    entry::<hincrby::HIncrByFloat>(),
    entry::<hgetall::HKeys>(),
    entry::<hlen::HLen>(),
    entry::<hget::HMGet>(),
    entry::<hset::HMSet>(),
    entry::<hset::HSet>(),
    entry::<hsetnx::HSetNx>(),
    entry::<hstrlen::HStrLen>(),
    entry::<hgetall::HVals>(),
];
