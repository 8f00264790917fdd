//! The value of a stream key: entries, groups and remembered producers, with the counters that outlive
//! them.

use resp::Argv;

use crate::trim::{Cut, References};
use crate::{
    Bound, Entries, Group, Groups, Idempotence, NodeLimits, Precision, Retention, StreamId,
};

/// A stream. A clone is a frozen view.
#[derive(Clone, Debug)]
pub struct Stream {
    entries: Entries,
    groups: Groups,
    idempotence: Idempotence,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
}

/// Why no ID can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoId {
    /// The last ID is the greatest there is.
    #[error("the last possible ID is taken")]
    Exhausted,
    /// The ID would not be above the last one.
    #[error("the ID is not above the last one")]
    NotAbove,
}

impl Stream {
    /// A stream without entries, which remembers producers under these bounds. `hash_seed` as for
    /// [`Idempotence::new`].
    pub fn new(retention: Retention, hash_seed: u64) -> Stream {
        Stream {
            entries: Entries::new(),
            groups: Groups::new(),
            idempotence: Idempotence::new(retention, hash_seed),
            last_id: StreamId::MIN,
            max_deleted_id: StreamId::MIN,
            entries_added: 0,
        }
    }

    /// A stream that has these entries, for one that is read from a file. Until
    /// [`Stream::set_id`] says more, its counters are what the entries show.
    pub fn from_entries(entries: Entries, idempotence: Idempotence) -> Stream {
        let last_id = entries.last().map_or(StreamId::MIN, |entry| entry.id());
        let entries_added = entries.len();
        Stream {
            entries,
            groups: Groups::new(),
            idempotence,
            last_id,
            max_deleted_id: StreamId::MIN,
            entries_added,
        }
    }

    /// Adds an entry of fields and values in turn, at an ID above the last one. Whether it did.
    #[inline]
    pub fn append(&mut self, id: StreamId, fields: Argv<'_>, limits: NodeLimits) -> bool {
        if id <= self.last_id || self.entries.append(id, fields.iter(), limits).is_err() {
            return false;
        }
        self.last_id = id;
        self.entries_added = self.entries_added.saturating_add(1).min(i64::MAX as u64);
        true
    }

    /// Deletes entries; returns how many there were. With [`References::Acked`] only those that no
    /// group needs any more.
    pub fn delete(&mut self, ids: &[StreamId], references: References) -> u64 {
        let mut deleted = 0;
        for &id in ids {
            if references == References::Acked && !self.groups.acknowledged_by_all(id) {
                continue;
            }
            if self.entries.delete(id) {
                deleted += 1;
                self.max_deleted_id = self.max_deleted_id.max(id);
            }
            if references == References::Delete {
                self.groups.forget(id);
            }
        }
        deleted
    }

    /// Removes the entries below an ID, as far as `references` lets them; returns how many.
    pub fn trim(&mut self, below: StreamId, references: References) -> u64 {
        let Some(last) = below.previous() else {
            return 0;
        };
        if references == References::Keep || self.groups.is_empty() {
            return self.entries.remove_through(last);
        }
        let ids: Vec<StreamId> = self
            .entries
            .range(StreamId::MIN, last)
            .map(|entry| entry.id())
            .collect();
        match references {
            References::Keep => 0,
            References::Delete => {
                for id in ids {
                    self.groups.forget(id);
                }
                self.entries.remove_through(last)
            }
            References::Acked => {
                let done = ids
                    .into_iter()
                    .filter(|id| self.groups.acknowledged_by_all(*id));
                done.collect::<Vec<_>>()
                    .into_iter()
                    .map(|id| u64::from(self.entries.delete(id)))
                    .sum()
            }
        }
    }

    /// Sets the last ID and, where given, the counters (`XSETID`).
    pub fn set_id(
        &mut self,
        last_id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: Option<StreamId>,
    ) {
        self.last_id = last_id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted_id.unwrap_or(self.max_deleted_id);
    }

    /// The groups, to be changed.
    pub fn groups_mut(&mut self) -> &mut Groups {
        &mut self.groups
    }

    /// The remembered producers, to be changed.
    pub fn idempotence_mut(&mut self) -> &mut Idempotence {
        &mut self.idempotence
    }

    /// The entries.
    #[inline]
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The groups.
    #[inline]
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The remembered producers.
    #[inline]
    pub fn idempotence(&self) -> &Idempotence {
        &self.idempotence
    }

    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> u64 {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The greatest ID ever added, or what it was set to.
    #[inline]
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The ID of the first entry; 0-0 if there is none.
    pub fn first_id(&self) -> StreamId {
        self.entries
            .first()
            .map_or(StreamId::MIN, |entry| entry.id())
    }

    /// The greatest ID that was deleted; trimming does not count.
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// How many entries were ever added. Stays at the greatest signed number once there.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The ID that the clock gives: its time, or the next above the last ID. `None` if there is no
    /// higher one.
    #[inline]
    pub fn next_id(&self, now_ms: u64) -> Option<StreamId> {
        if now_ms > self.last_id.ms {
            Some(StreamId::new(now_ms, 0))
        } else {
            self.last_id.next()
        }
    }

    /// The lowest free ID of a millisecond (`ms-*`).
    ///
    /// # Errors
    /// [`NoId`] if there is none.
    pub fn next_in_ms(&self, ms: u64) -> Result<StreamId, NoId> {
        if self.last_id == StreamId::MAX {
            return Err(NoId::Exhausted);
        }
        match ms.cmp(&self.last_id.ms) {
            std::cmp::Ordering::Less => Err(NoId::NotAbove),
            std::cmp::Ordering::Equal => {
                let seq = self.last_id.seq.checked_add(1).ok_or(NoId::NotAbove)?;
                Ok(StreamId::new(ms, seq))
            }
            std::cmp::Ordering::Greater => Ok(StreamId::new(ms, 0)),
        }
    }

    /// What a trim would remove.
    pub fn cut(&self, bound: Bound, precision: Precision) -> Option<Cut> {
        self.entries.cut(bound, precision)
    }

    /// How many entries of the stream's whole life are at or below an ID, where that can be told
    /// without counting: the group's read counter (streams page, XINFO).
    pub fn entries_read_at(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.is_empty() && id < self.last_id {
            return Some(self.entries_added);
        }
        if id == self.last_id {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        let first = self.first_id();
        if self.max_deleted_id == StreamId::MIN || self.max_deleted_id < first {
            if id < first {
                return Some(self.entries_added.saturating_sub(self.len()));
            }
            if id == first {
                return Some(self.entries_added.saturating_sub(self.len()) + 1);
            }
        }
        None
    }

    /// The read counter of a group after it was delivered these entries, the first ones above its
    /// last-delivered ID. Redis counts entry by entry; this gives what that ends with.
    pub fn entries_read_after(&self, group: &Group, ids: &[StreamId]) -> Option<u64> {
        let (Some(&first), Some(&last)) = (ids.first(), ids.last()) else {
            return group.entries_read();
        };
        let after_first = match self.trusted_counter(group) {
            Some(read) => Some(read.saturating_add(1)),
            None => self.entries_read_at(first),
        };
        // Where an entry was deleted above the first one, the counter is lost on the way.
        let kept = after_first.filter(|_| ids.len() == 1 || !self.has_deleted_from(first));
        match kept {
            Some(read) => Some(read.saturating_add(ids.len() as u64 - 1)),
            None => self.entries_read_at(last),
        }
    }

    /// How many entries a group has not been delivered yet. Where the read counter tells, what it
    /// tells; else the entries above its last-delivered ID are counted, so that lag is a number always.
    pub fn lag(&self, group: &Group) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let read = self.trusted_counter(group);
        match read.or_else(|| self.entries_read_at(group.last_delivered())) {
            Some(read) => self.entries_added.saturating_sub(read),
            None => self.entries.count_above(group.last_delivered()),
        }
    }

    /// The read counter of a group, where what was deleted or trimmed has not made it doubtful.
    fn trusted_counter(&self, group: &Group) -> Option<u64> {
        let last_delivered = group.last_delivered();
        let doubtful = last_delivered < self.first_id() || self.has_deleted_from(last_delivered);
        group.entries_read().filter(|_| !doubtful)
    }

    /// Whether an entry at or above an ID may have been deleted.
    fn has_deleted_from(&self, id: StreamId) -> bool {
        !self.is_empty() && self.max_deleted_id != StreamId::MIN && self.max_deleted_id >= id
    }

    /// Bytes on the heap; looks at about `samples` chunks, at all if 0.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        self.entries.heap_bytes(samples)
            + self.groups.heap_bytes()
            + self.idempotence.allocated_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;
    use crate::{Acknowledgement, Group, NodeLimits, Retention, StreamId};
    use resp::ArgvBuf;

    const LIMITS: NodeLimits = NodeLimits::DEFAULT;

    fn id(seq: u64) -> StreamId {
        StreamId::new(1, seq)
    }

    fn stream(len: u64) -> Stream {
        let retention = Retention {
            duration_s: 100,
            maxsize: 100,
        };
        let mut stream = Stream::new(retention, 1);
        let fields: ArgvBuf = [b"f".as_slice(), b"v"].into_iter().collect();
        for seq in 1..=len {
            assert!(stream.append(id(seq), fields.as_argv(), LIMITS));
        }
        stream
    }

    #[test]
    fn a_group_from_the_start_counts_what_it_reads_although_it_stops_midway() {
        let group = Group::new(StreamId::MIN, None);
        assert_eq!(
            stream(3).entries_read_after(&group, &[id(1), id(2)]),
            Some(2)
        );
    }

    #[test]
    fn a_deleted_entry_ahead_loses_the_counter_until_the_end_is_reached() {
        let mut stream = stream(4);
        let mut group = Group::new(id(1), Some(1));
        stream.delete(&[id(3)], crate::References::Keep);
        assert_eq!(stream.entries_read_after(&group, &[id(2)]), None);
        assert_eq!(stream.entries_read_after(&group, &[id(2), id(4)]), Some(4));
        assert_eq!(stream.lag(&group), 2, "counted, for want of a counter");
        let reader = group.create_consumer(b"c", 0).handle();
        group.deliver(reader, &[id(2)], 0, Acknowledgement::Awaited, None);
        assert_eq!(stream.lag(&group), 1);
    }

    #[test]
    fn a_group_behind_the_first_entry_lags_by_what_is_there() {
        let mut stream = stream(4);
        let group = Group::new(StreamId::MIN, Some(4));
        assert_eq!(stream.lag(&group), 4, "its counter cannot be true");
        stream.trim(id(3), crate::References::Keep);
        assert_eq!(stream.lag(&group), 2);
        stream.trim(StreamId::MAX, crate::References::Keep);
        assert_eq!(stream.lag(&group), 0, "nothing is left to read");
    }
}
