//! Entries that were given back with a pause: nobody is to be given them before it is over.

use super::Group;
use crate::StreamId;
use crate::pending::IdleAtLeast;
use crate::settings::Backoff;

impl Group {
    /// How long entries wait until they are given again, if the group was told so.
    #[inline]
    pub fn backoff(&self) -> Option<Backoff> {
        self.settings().get()?.backoff()
    }

    /// The entries that were given back with a pause, and until when they have it, in Unix
    /// milliseconds, the earliest first. Those whose pause is over are among them.
    pub fn paused(&self) -> impl Iterator<Item = (StreamId, u64)> + Clone + '_ {
        self.pending.paused()
    }

    /// Until when an entry has its pause, in Unix milliseconds; `None` if it was given back without
    /// one, is held, or is not pending.
    pub fn paused_until_ms(&self, id: StreamId) -> Option<u64> {
        self.pending.paused_until_ms(id)
    }

    /// Returns whether entries may have a pause: the group was told so, or one was given back so.
    pub fn knows_pauses(&self) -> bool {
        self.backoff().is_some() || self.pending.has_paused()
    }

    /// When the next pause ends after this time, in Unix milliseconds.
    pub fn next_pause_end_ms(&self, now_ms: u64) -> Option<u64> {
        self.pending.next_pause_end_ms(now_ms)
    }

    /// Pending entries that may be given to whoever reads: first those whose pause is over, the
    /// earliest first, then those of [`Group::pending_by_age`].
    pub fn pending_to_give(
        &self,
        idle: IdleAtLeast,
    ) -> impl Iterator<Item = StreamId> + Clone + '_ {
        let paused = self.paused();
        let over = paused.take_while(move |(_, until_ms)| *until_ms <= idle.now_ms);
        over.map(|(id, _)| id).chain(self.pending_by_age(idle))
    }
}
