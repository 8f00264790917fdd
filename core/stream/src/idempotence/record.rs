//! What is remembered about one idempotent append.

use crate::StreamId;

/// One remembered idempotent ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered<'a> {
    /// The idempotent ID, as the producer named it.
    pub iid: &'a [u8],
    /// The entry that it stands for, which may be gone by now.
    pub id: StreamId,
    /// When that entry was added, by the clock: Unix time in milliseconds.
    pub added_at_ms: u64,
}

/// How long an iid counts after it was added, and the time from which it no longer counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    pub(super) duration_ms: u64,
    pub(super) now_ms: u64,
}

impl Lifetime {
    /// Returns whether an iid that was added then is forgotten: its age has reached the duration.
    #[inline]
    pub(super) fn is_over(self, added_at_ms: u64) -> bool {
        added_at_ms.saturating_add(self.duration_ms) <= self.now_ms
    }
}
