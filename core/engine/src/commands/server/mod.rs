//! Commands about the server.

mod bgrewriteaof;
mod bgsave;
mod command;
mod config;
mod dbsize;
mod info;
mod lastsave;
mod save;
mod time;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<bgrewriteaof::BgRewriteAof>(),
    entry::<bgsave::BgSave>(),
    command::COMMAND,
    config::CONFIG,
    entry::<dbsize::DbSize>(),
    entry::<info::Info>(),
    entry::<lastsave::LastSave>(),
    entry::<save::Save>(),
    entry::<time::Time>(),
];
