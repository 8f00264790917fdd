//! Commands about the server.

mod acl;
mod bgrewriteaof;
mod bgsave;
mod command;
mod config;
mod dbsize;
mod debug;
mod debug_digest;
mod debug_populate;
mod debug_protocol;
mod debug_reload;
mod failover;
mod flush;
mod hotkeys;
mod info;
mod lastsave;
mod latency;
mod lolwut;
mod memory;
mod module;
mod monitor;
mod replicaof;
mod restore_asking;
mod role;
mod save;
mod shutdown;
mod slowlog;
mod swapdb;
mod time;
mod written;

use engine::command::{Entry, entry};

pub(crate) use failover::hand_over;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    acl::ACL,
    entry::<bgrewriteaof::BgRewriteAof>(),
    entry::<bgsave::BgSave>(),
    command::COMMAND,
    config::CONFIG,
    entry::<dbsize::DbSize>(),
    entry::<debug::Debug>(),
    entry::<failover::Failover>(),
    entry::<flush::FlushAll>(),
    entry::<flush::FlushDb>(),
    hotkeys::HOTKEYS,
    entry::<info::Info>(),
    entry::<lastsave::LastSave>(),
    latency::LATENCY,
    entry::<lolwut::Lolwut>(),
    memory::MEMORY,
    module::MODULE,
    entry::<monitor::Monitor>(),
    entry::<replicaof::ReplicaOf>(),
    entry::<restore_asking::RestoreAsking>(),
    entry::<role::Role>(),
    entry::<save::Save>(),
    entry::<shutdown::Shutdown>(),
    entry::<replicaof::SlaveOf>(),
    slowlog::SLOWLOG,
    entry::<swapdb::SwapDb>(),
    entry::<time::Time>(),
];
