//! How far a group has come: its read counter and its lag.
//!
//! Redis derives both from a few counters of the stream, and knows neither if entries are missing
//! ahead of the group. `entries-read` is then unknown here too. The rules were found by asking
//! Redis 8.6. `stream.rs` gives the lag in every case, by counting.

use crate::StreamId;

/// The figures of a stream that tell how many entries there ever were up to some ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Entries ever added.
    pub entries_added: u64,
    /// Entries there are.
    pub len: u64,
    /// The first entry, or `0-0`.
    pub first_id: StreamId,
    /// The greatest ID that was given out.
    pub last_id: StreamId,
    /// The greatest ID that was deleted other than by trimming, or `0-0`.
    pub max_deleted_id: StreamId,
}

impl Counters {
    /// Returns how many entries were ever added up to this ID, if that is known.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if id == self.last_id || (self.len == 0 && id < self.last_id) {
            return Some(self.entries_added);
        }
        if id > self.last_id || !self.is_whole() || id > self.first_id {
            return None;
        }
        let before_first = self.entries_added.saturating_sub(self.len);
        Some(before_first + u64::from(id == self.first_id))
    }

    /// What a group has read after these entries were delivered to it, in ascending order.
    ///
    /// `last_delivered` and `entries_read` are the group's before.
    pub fn entries_read_after(
        &self,
        mut last_delivered: StreamId,
        mut entries_read: Option<u64>,
        delivered: &[StreamId],
    ) -> Option<u64> {
        for (index, &id) in delivered.iter().enumerate() {
            match entries_read {
                Some(read)
                    if last_delivered >= self.first_id && !self.is_gap_above(last_delivered) =>
                {
                    // From here on each entry counts one.
                    return Some(read.saturating_add((delivered.len() - index) as u64));
                }
                _ => entries_read = self.entries_up_to(id),
            }
            last_delivered = last_delivered.max(id);
        }
        entries_read
    }

    /// The lag of a group by Redis' rule; `None` if Redis does not know it.
    pub fn lag(&self, last_delivered: StreamId, entries_read: Option<u64>) -> Option<u64> {
        if self.len == 0 {
            return Some(0);
        }
        if last_delivered < self.first_id && self.is_whole() {
            return Some(self.len);
        }
        let read = match entries_read {
            Some(read) if !self.is_gap_above(last_delivered) => Some(read),
            _ => self.entries_up_to(last_delivered),
        };
        read.map(|read| self.entries_added.saturating_sub(read))
    }

    /// Returns whether nothing is missing between the first entry and the last.
    fn is_whole(&self) -> bool {
        self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id
    }

    /// Returns whether an entry at or above this ID was deleted.
    pub(crate) fn is_gap_above(&self, id: StreamId) -> bool {
        self.len > 0 && self.max_deleted_id != StreamId::MIN && id <= self.max_deleted_id
    }
}
