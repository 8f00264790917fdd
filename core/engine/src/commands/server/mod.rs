//! Commands about the server.

mod dbsize;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<dbsize::DbSize>()];
