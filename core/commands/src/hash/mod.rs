//! Hash commands.

mod hget;
mod hset;

use engine::command::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<hget::HGet>(), entry::<hset::HSet>()];
