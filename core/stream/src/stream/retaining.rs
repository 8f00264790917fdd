//! What a stream removes by itself.

use super::Stream;
use crate::trim::{Cut, References};

impl Stream {
    /// When a step towards the bounds in its settings is due, in milliseconds since the epoch.
    #[inline]
    pub fn retention_due_ms(&self) -> Option<u64> {
        self.retaining.as_deref()?.due_ms(&self.entries)
    }

    /// Returns whether there is to be such a step after an append, because of it. Cheap to know
    /// before.
    #[inline]
    pub fn trims_with_append(&self) -> bool {
        let retaining = self.retaining.as_deref();
        retaining.is_some_and(|retaining| retaining.trims_with_append(&self.entries))
    }

    /// Returns whether such a step has to do with groups: it takes longer then.
    pub fn asks_groups_for_retention(&self) -> bool {
        let retaining = self.retaining.as_deref();
        retaining.is_some_and(|it| it.references() != References::Keep) && !self.groups.is_empty()
    }

    /// Such a step of about `entries_max` entries at most, and what becomes of pending entries;
    /// `None` if there is nothing to remove.
    pub fn plan_retention(&self, now_ms: u64, entries_max: u64) -> Option<(Cut, References)> {
        let retaining = self.retaining.as_deref()?;
        let cut = retaining.plan(&self.entries, &self.groups, now_ms, entries_max)?;
        Some((cut, retaining.references()))
    }

    /// Notes that such a step was taken, and whether it has removed anything: if there is nothing
    /// to do at once, the stream rests for a while.
    pub fn rest_from_retention(&mut self, has_removed: bool, now_ms: u64) {
        if let Some(retaining) = self.retaining.as_deref_mut() {
            retaining.rest(&self.entries, has_removed, now_ms);
        }
    }
}
