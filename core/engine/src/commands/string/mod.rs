//! String commands.

mod get;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<get::Get>()];
