//! A window of more than a hundred iids: several rings, chosen by the iid's hash.
//!
//! A ring is scanned to find an iid and copied as a whole by the first write after a freeze, so a
//! ring must stay small. An order over all of them says which ring has the oldest iid.

use std::collections::VecDeque;

use triomphe::Arc;

use super::limits::{PART_RECORDS, PARTS_MAX, RING_RECORDS_MAX};
use super::record::{Lifetime, Remembered};
use super::ring::{Ring, tag};

/// Rings by hash, and the order in which their iids were added.
#[derive(Clone, Debug)]
pub(super) struct Split {
    /// A power of two.
    parts: Vec<Arc<Ring>>,
    /// For each iid, oldest first, the part that has it.
    order: VecDeque<u8>,
    newest_at_ms: u64,
}

impl Split {
    /// An empty window that is going to hold `records_max` iids.
    pub(super) fn new(records_max: usize) -> Self {
        let part_count = (records_max / PART_RECORDS)
            .max(2)
            .next_power_of_two()
            .min(PARTS_MAX);
        let part = Arc::new(Ring::default());
        Split {
            parts: vec![part; part_count],
            order: VecDeque::new(),
            newest_at_ms: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns how many bytes of memory its parts take.
    pub(super) fn allocated_bytes(&self) -> usize {
        let parts = self
            .parts
            .iter()
            .map(|part| size_of::<Ring>() + part.allocated_bytes());
        self.order.capacity() + parts.sum::<usize>()
    }

    pub(super) fn newest_at_ms(&self) -> u64 {
        self.newest_at_ms
    }

    /// The youngest.
    pub(super) fn last(&self) -> Option<Remembered<'_>> {
        let part = self.parts.get(usize::from(*self.order.back()?))?;
        part.get(part.len().wrapping_sub(1))
    }

    /// The number of the part for an iid: from other bits than its tag.
    #[inline]
    fn part_of(&self, hash: u64) -> u8 {
        (hash >> 32) as u8 & (self.parts.len() - 1) as u8
    }

    /// Finds an iid.
    #[inline]
    pub(super) fn find(&self, iid: &[u8], hash: u64) -> Option<Remembered<'_>> {
        let part = self.parts.get(usize::from(self.part_of(hash)))?;
        part.find(iid, tag(hash)).and_then(|age| part.get(age))
    }

    /// Adds an iid as the youngest.
    pub(super) fn push(&mut self, record: Remembered<'_>, hash: u64) {
        let number = self.part_of(hash);
        let part = &mut self.parts[usize::from(number)];
        Arc::make_mut(part).push(record, tag(hash), RING_RECORDS_MAX);
        self.order.push_back(number);
        self.newest_at_ms = record.added_at_ms;
    }

    /// Removes the oldest and says when it was added.
    pub(super) fn pop(&mut self) -> Option<u64> {
        let part = self.parts.get_mut(usize::from(self.order.pop_front()?))?;
        Arc::make_mut(part).pop()
    }

    /// Removes the oldest if its time is over, and says when it was added.
    #[inline]
    pub(super) fn pop_expired(&mut self, lifetime: Lifetime) -> Option<u64> {
        let part = self.parts.get_mut(usize::from(*self.order.front()?))?;
        let oldest = part.get(0)?;
        if !lifetime.is_over(oldest.added_at_ms) {
            return None;
        }
        self.order.pop_front();
        Arc::make_mut(part).pop()
    }

    /// Removes an iid, if it is there, and says when it was added. Rare, so the order is searched.
    pub(super) fn remove(&mut self, iid: &[u8], hash: u64) -> Option<u64> {
        let number = self.part_of(hash);
        let part = self.parts.get_mut(usize::from(number))?;
        let age = part.find(iid, tag(hash))?;
        let added_at_ms = part.get(age)?.added_at_ms;
        Arc::make_mut(part).remove(age);
        let mut places = self.order.iter().enumerate().filter(|(_, n)| **n == number);
        let (place, _) = places.nth(age)?;
        self.order.remove(place);
        Some(added_at_ms)
    }

    /// All iids, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Remembered<'_>> + Clone {
        let mut ages = [0_usize; PARTS_MAX];
        self.order.iter().filter_map(move |&number| {
            let age = &mut ages[usize::from(number)];
            *age += 1;
            self.parts.get(usize::from(number))?.get(*age - 1)
        })
    }
}
