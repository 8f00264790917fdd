//! What clients of a cluster and of Sentinels ask. A server that is alone answers that it is
//! neither; a node of a group answers from what it knows of the others (`engine::topology`).

mod command;
mod failover;
mod help;
mod identity;
mod keys;
mod modes;
mod nodes;
mod sentinel;
mod slot_stats;
mod slots;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<modes::Asking>(),
    entry::<command::Cluster>(),
    entry::<modes::ReadOnly>(),
    entry::<modes::ReadWrite>(),
    entry::<sentinel::Sentinel>(),
];
