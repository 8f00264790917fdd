//! What clients of a cluster ask: a single server answers that it is none.

mod command;
mod modes;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<modes::Asking>(),
    entry::<command::Cluster>(),
    entry::<modes::ReadOnly>(),
    entry::<modes::ReadWrite>(),
];
