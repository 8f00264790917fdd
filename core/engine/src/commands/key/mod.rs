//! Commands on keys, whatever they hold.

mod del;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<del::Del>()];
