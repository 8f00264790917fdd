//! Stream commands. Source of the rules: the streams and idempotence pages of the specification.

mod xlen;

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[entry::<xlen::XLen>()];
