//! Commands about the connection itself.

mod echo;
mod ping;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<echo::Echo>(), entry::<ping::Ping>()];
