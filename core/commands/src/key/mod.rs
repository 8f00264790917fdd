//! Commands on keys, whatever they hold.

mod copy;
pub(crate) mod database;
mod del;
pub(super) mod dump;
mod exists;
mod expire;
pub(super) mod expiry;
mod migrate;
mod move_key;
mod object;
mod persist;
mod rename;
mod scan;
mod sort;
mod ttl;
mod type_of;
mod unlink;
mod wait;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<copy::Copy>(),
    entry::<del::Del>(),
    entry::<dump::Dump>(),
    entry::<exists::Exists>(),
    entry::<expire::Expire>(),
    entry::<expire::ExpireAt>(),
    entry::<ttl::ExpireTime>(),
    entry::<scan::Keys>(),
    entry::<migrate::Migrate>(),
    entry::<move_key::Move>(),
    object::OBJECT,
    entry::<persist::Persist>(),
    entry::<expire::PExpire>(),
    entry::<expire::PExpireAt>(),
    entry::<ttl::PExpireTime>(),
    entry::<ttl::PTtl>(),
    entry::<scan::RandomKey>(),
    entry::<rename::Rename>(),
    entry::<rename::RenameNx>(),
    entry::<dump::Restore>(),
    entry::<scan::Scan>(),
    entry::<sort::Sort>(),
    entry::<sort::SortRo>(),
    entry::<exists::Touch>(),
    entry::<ttl::Ttl>(),
    entry::<type_of::Type>(),
    entry::<unlink::Unlink>(),
    entry::<wait::Wait>(),
    entry::<wait::WaitAof>(),
];
