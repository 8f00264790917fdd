//! A ring of iids in the order in which they were added, with a way to find one.
//!
//! Each iid has a 16-bit tag from its hash; the tags are side by side, so finding one is a scan of
//! a few cache lines that the compiler turns into vector code. For the hundred iids of a usual
//! window that is as fast as a hash index, without its upkeep and memory. The bytes of the iids are
//! one after another in one buffer, so an iid of any length costs its length.

use super::record::{Lifetime, Remembered};
use crate::StreamId;

/// How many tags are compared in one go.
const TAGS_AT_ONCE: usize = 32;
/// The first size of a ring.
const SLOTS_MIN: usize = 12;

/// With more dead bytes than this the buffer is compacted before it is full, so that the memory of
/// a huge iid does not stay.
const DEAD_BYTES_MAX: usize = 64 * 1024;

/// A tag that no iid has: the slot is free.
const FREE: u16 = 0;

/// The part of an iid's hash that finds it within a ring.
pub(super) fn tag(hash: u64) -> u16 {
    (hash as u16).max(1)
}

/// A ring of iids.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    /// The tags of the slots, then free ones up to a multiple of what is compared at once.
    tags: Vec<u16>,
    slots: Vec<Slot>,
    /// The slot of the oldest.
    head: usize,
    len: usize,
    /// The bytes of the iids, oldest first; those before the head's are dead.
    iids: Vec<u8>,
    /// What to subtract from an `iid_start` to find it in `iids`.
    iids_base: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    id: StreamId,
    added_at_ms: u64,
    /// Where the iid starts, counted over the life of the ring; it ends where the next one starts.
    iid_start: u64,
}

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many bytes of memory its parts take.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.tags.capacity() * size_of::<u16>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.iids.capacity()
    }

    /// The slot of an iid by its age, the oldest being 0.
    #[inline]
    fn slot_of(&self, index: usize) -> usize {
        let slot = self.head + index;
        if slot < self.slots.len() {
            slot
        } else {
            slot - self.slots.len()
        }
    }

    /// Returns where the bytes of an iid begin in `iids`; the end of all if there is none of that
    /// age.
    #[inline]
    fn iid_start(&self, index: usize) -> usize {
        if index < self.len {
            (self.slots[self.slot_of(index)].iid_start - self.iids_base) as usize
        } else {
            self.iids.len()
        }
    }

    /// The iid of that age, the oldest being 0.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<Remembered<'_>> {
        if index >= self.len {
            return None;
        }
        let slot = &self.slots[self.slot_of(index)];
        Some(Remembered {
            iid: &self.iids[self.iid_start(index)..self.iid_start(index + 1)],
            id: slot.id,
            added_at_ms: slot.added_at_ms,
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Remembered<'_>> + Clone {
        (0..self.len).filter_map(|index| self.get(index))
    }

    /// When the youngest was added.
    #[inline]
    pub(super) fn newest_at_ms(&self) -> u64 {
        self.len
            .checked_sub(1)
            .map_or(0, |last| self.slots[self.slot_of(last)].added_at_ms)
    }

    /// The age of an iid.
    #[inline]
    pub(super) fn find(&self, iid: &[u8], tag: u16) -> Option<usize> {
        let (tags, _) = self.tags.as_chunks::<TAGS_AT_ONCE>();
        tags.iter().enumerate().find_map(|(index, tags)| {
            // Of fixed length and without an early exit, so that it becomes vector code.
            let is_there = tags.iter().fold(false, |any, t| any | (*t == tag));
            if is_there {
                self.find_among(tags, index * TAGS_AT_ONCE, iid, tag)
            } else {
                None
            }
        })
    }

    /// The age of an iid, if it is in one of the slots from `first` on that have these tags. Not
    /// part of the loop over all, which it would slow down.
    #[inline(never)]
    fn find_among(&self, tags: &[u16], first: usize, iid: &[u8], tag: u16) -> Option<usize> {
        let mut slots = tags.iter().zip(first..).filter(|(t, _)| **t == tag);
        slots.find_map(|(_, slot)| {
            let ahead = if slot < self.head {
                self.slots.len()
            } else {
                0
            };
            let age = slot + ahead - self.head;
            let record = self.get(age)?;
            (record.iid == iid).then_some(age)
        })
    }

    /// Adds an iid as the youngest. `slots_max` is the most that the ring is going to hold, as far
    /// as the caller knows.
    pub(super) fn push(&mut self, record: Remembered<'_>, tag: u16, slots_max: usize) {
        if self.len == self.slots.len() {
            self.grow(slots_max);
        }
        self.make_room_for_iid(record.iid.len());
        let slot = self.slot_of(self.len);
        self.tags[slot] = tag;
        self.slots[slot] = Slot {
            id: record.id,
            added_at_ms: record.added_at_ms,
            iid_start: self.iids_base + self.iids.len() as u64,
        };
        self.iids.extend_from_slice(record.iid);
        self.len += 1;
    }

    /// Removes the oldest and says when it was added.
    pub(super) fn pop(&mut self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let slot = self.head;
        self.tags[slot] = FREE;
        self.head = self.slot_of(1);
        self.len -= 1;
        Some(self.slots[slot].added_at_ms)
    }

    /// Removes the oldest if its time is over, and says when it was added.
    #[inline]
    pub(super) fn pop_expired(&mut self, lifetime: Lifetime) -> Option<u64> {
        let oldest = self.slots.get(self.head).filter(|_| self.len > 0)?;
        if lifetime.is_over(oldest.added_at_ms) {
            self.pop()
        } else {
            None
        }
    }

    /// Removes the iid of that age. This is rare, so all younger ones are simply added again.
    pub(super) fn remove(&mut self, index: usize) {
        let old = std::mem::take(self);
        for (age, record) in old.iter().enumerate() {
            if age != index {
                self.push(record, old.tags[old.slot_of(age)], old.slots.len());
            }
        }
    }

    /// Adds half as many slots, but not more than will be needed.
    #[cold]
    fn grow(&mut self, slots_max: usize) {
        let slot_count = (self.slots.len() * 3 / 2)
            .clamp(SLOTS_MIN, slots_max.max(SLOTS_MIN))
            .max(self.len + 1);
        self.tags.truncate(self.slots.len());
        self.tags.rotate_left(self.head);
        self.slots.rotate_left(self.head);
        self.head = 0;
        self.slots.reserve_exact(slot_count - self.slots.len());
        self.slots.resize(slot_count, Slot::default());
        let tag_count = slot_count.next_multiple_of(TAGS_AT_ONCE);
        self.tags.reserve_exact(tag_count - self.tags.len());
        self.tags.resize(tag_count, FREE);
    }

    /// Makes sure that the buffer takes this many bytes more.
    #[inline]
    fn make_room_for_iid(&mut self, bytes: usize) {
        let is_full = self.iids.len() + bytes > self.iids.capacity();
        if is_full || self.iid_start(0) > DEAD_BYTES_MAX {
            self.compact_or_grow(bytes);
        }
    }

    /// The dead bytes at the front are removed if they are a fifth of the buffer or more, so each
    /// byte is moved only a few times.
    #[cold]
    fn compact_or_grow(&mut self, bytes: usize) {
        let dead = self.iid_start(0);
        if dead * 5 >= self.iids.len() {
            self.iids.drain(..dead);
            self.iids_base += dead as u64;
        }
        let needed = self.iids.len() + bytes;
        // Room for as many slots as there are, if all iids are about as long, and some.
        let wanted = (self.slots.len() * (needed / (self.len + 1))).max(needed);
        let wanted = wanted + wanted / 4;
        if needed > self.iids.capacity() {
            self.iids.reserve_exact(wanted - self.iids.len());
        } else if self.iids.capacity() > wanted + DEAD_BYTES_MAX {
            self.iids.shrink_to(wanted);
        }
    }
}
