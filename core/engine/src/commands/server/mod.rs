//! Commands about the server.

mod bgrewriteaof;
mod bgsave;
mod dbsize;
mod lastsave;
mod save;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<bgrewriteaof::BgRewriteAof>(),
    entry::<bgsave::BgSave>(),
    entry::<dbsize::DbSize>(),
    entry::<lastsave::LastSave>(),
    entry::<save::Save>(),
];
