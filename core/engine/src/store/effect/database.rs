//! Changes of a whole database.
//!
//! Nothing is published for them, as for each key on its own there would be too much.

use super::Changed;
use super::encode::{Line, Out};
use crate::store::apply::Store;

/// The database in which it happens changes as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseChange {
    /// `FLUSHDB`.
    Flush,
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{self, Event};

    /// All keys are gone.
    pub const FLUSHDB: &Event = event::UNNAMED;
}

impl DatabaseChange {
    pub(super) fn apply(self, store: &mut Store<'_>) -> Changed {
        match self {
            DatabaseChange::Flush => Changed::by_event(store.flush(store.database).max(1)),
        }
    }

    pub(super) fn encode(self, out: &mut Out<'_>) -> u32 {
        match self {
            DatabaseChange::Flush => Line::new(out, 1, "FLUSHDB").end(),
        }
    }
}
