//! Where entries are: the chunk of an ID or of a rank, its neighbours, and how many entries come
//! before.

use triomphe::Arc;

use super::Entries;
use crate::StreamId;
use crate::chunk::{Chunk, Head};
use crate::packed::{Opened, Unpacked};
use crate::range::EntryRef;

/// Where a chunk stands. The tail stands behind the last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) block: usize,
    pub(super) slot: usize,
}

impl Place {
    pub(crate) const FIRST: Place = Place { block: 0, slot: 0 };
}

/// Where a node ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEnd {
    /// The number of entries up to its end.
    pub(crate) entry_count: u64,
    /// Where the next one begins; `None` if there is no other.
    pub(crate) next_id: Option<StreamId>,
}

impl Entries {
    /// Returns how many entries have an ID below `id`.
    pub fn count_below(&self, id: StreamId) -> u64 {
        let Some(place) = self.place_of(id) else {
            return 0;
        };
        // A chunk that begins there need not be opened.
        let inside = match self.first_at(place) == Some(id) {
            true => 0,
            false => self.chunk(place).map_or(0, |chunk| chunk.live_below(id)),
        };
        self.count_before(place) + u64::from(inside)
    }

    /// Returns how many entries have an ID above `id`.
    pub fn count_above(&self, id: StreamId) -> u64 {
        id.next()
            .map_or(0, |next| self.len - self.count_below(next))
    }

    /// Returns how many entries lie between `start` and `end`, both included.
    pub fn count_between(&self, start: StreamId, end: StreamId) -> u64 {
        let through_end = end.next().map_or(self.len, |next| self.count_below(next));
        through_end.saturating_sub(self.count_below(start))
    }

    /// The lowest entries between two IDs, both included, `limit` of them, which is not 0: how many
    /// there are, and an ID that is not below any of them, at most `end`, but not far above either.
    pub(super) fn lowest(&self, start: StreamId, end: StreamId, limit: u64) -> (u64, StreamId) {
        let below = self.count_below(start);
        if let Some((place, _)) = self.place_of_nth(below.saturating_add(limit - 1))
            && place < self.place_from(end)
            && let Some(above) = self.place_after(place).and_then(|next| self.first_at(next))
            && let Some(through) = above.previous()
        {
            return (limit, through);
        }
        (self.count_between(start, end).min(limit), end)
    }

    /// The same of the highest entries: the ID is not above any of them, but not far below either.
    pub(super) fn highest(&self, start: StreamId, end: StreamId, limit: u64) -> (u64, StreamId) {
        let through = end.next().map_or(self.len, |next| self.count_below(next));
        if let Some(index) = through.checked_sub(limit)
            && let Some((place, _)) = self.place_of_nth(index)
            && place > self.place_from(start)
            && let Some(first) = self.first_at(place)
        {
            return (limit, first);
        }
        (self.count_between(start, end).min(limit), start)
    }

    /// The entry that has `index` entries before it.
    pub fn nth(&self, index: u64) -> Option<EntryRef<'_>> {
        let (place, before) = self.place_of_nth(index)?;
        let chunk = self.chunk(place)?;
        let head = chunk.select((index - before) as u16)?;
        Some(EntryRef::new(chunk, head))
    }

    /// As many of the first nodes as have at most `entries_max` entries together, if any: an ID
    /// between them and the rest, and the number of their entries.
    pub(crate) fn nodes_within(&self, entries_max: u64) -> Option<(StreamId, u64)> {
        if self.len <= entries_max {
            return (self.len > 0).then_some((self.top, self.len));
        }
        let (mut place, mut before) = self.place_of_nth(entries_max)?;
        loop {
            let chunk = self.chunk(place)?;
            if let Some((id, inside)) = chunk.last_node(entries_max - before) {
                let through = id.previous()?;
                return (before + inside > 0).then_some((through, before + inside));
            }
            place = self.place_before(place)?;
            before -= u64::from(self.live_at(place));
        }
    }

    /// The end of the node that has `entries_before` entries before it.
    pub(crate) fn node_end(&self, entries_before: u64) -> NodeEnd {
        let Some((mut place, mut before)) = self.place_of_nth(entries_before) else {
            return NodeEnd {
                entry_count: self.len,
                next_id: None,
            };
        };
        while let Some(chunk) = self.chunk(place) {
            let live_min = (entries_before + 1).saturating_sub(before);
            if let Some((id, inside)) = chunk.next_node(live_min) {
                return NodeEnd {
                    entry_count: before + inside,
                    next_id: Some(id),
                };
            }
            before += u64::from(chunk.live());
            let Some(next) = self.place_after(place) else {
                break;
            };
            place = next;
        }
        NodeEnd {
            entry_count: self.len,
            next_id: None,
        }
    }

    /// The chunk at this place, to be read.
    #[inline]
    pub(crate) fn chunk(&self, place: Place) -> Option<Opened<'_>> {
        self.open(place, None)
    }

    /// The same, with a chunk that was opened before and is not needed any more.
    #[inline]
    pub(crate) fn open(&self, place: Place, spare: Option<Arc<Chunk>>) -> Option<Opened<'_>> {
        match self.blocks.get(place.block) {
            Some(block) => Some(block.slots.get(place.slot)?.chunk.open(spare)),
            None => {
                let tail = self.tail.as_ref()?;
                (place == self.tail_place()).then_some(Opened::Lent(tail.borrow_arc()))
            }
        }
    }

    /// The same, if it was not unpacked just before.
    #[inline]
    pub(super) fn open_in(&self, place: Place, unpacked: &mut Unpacked) -> Option<Opened<'_>> {
        match self.blocks.get(place.block) {
            Some(block) => Some(block.slots.get(place.slot)?.chunk.open_in(unpacked)),
            None => self.open(place, None),
        }
    }

    /// At or below every ID of the chunk at this place, and above those before it.
    pub(super) fn first_at(&self, place: Place) -> Option<StreamId> {
        match self.blocks.get(place.block) {
            Some(block) => block.slots.get(place.slot).map(|slot| slot.first),
            None if place == self.tail_place() => self.tail.as_ref().map(|tail| tail.base()),
            None => None,
        }
    }

    /// Returns how many entries the chunk at this place has.
    pub(super) fn live_at(&self, place: Place) -> u16 {
        match self.blocks.get(place.block) {
            Some(block) => block.slots.get(place.slot).map_or(0, |slot| slot.live),
            None => self.tail.as_deref().map_or(0, Chunk::live),
        }
    }

    /// Returns where an entry with this ID must be: in the last chunk that does not begin above it.
    #[inline]
    pub(crate) fn place_of(&self, id: StreamId) -> Option<Place> {
        if self.tail.as_deref().is_some_and(|tail| tail.base() <= id) {
            return Some(self.tail_place());
        }
        let block = self
            .blocks
            .partition_point(|block| block.first <= id)
            .checked_sub(1)?;
        let slots = &self.blocks[block].slots;
        let slot = slots
            .partition_point(|slot| slot.first <= id)
            .checked_sub(1)?;
        Some(Place { block, slot })
    }

    /// Returns where a walk upwards from this ID begins.
    #[inline]
    pub(crate) fn place_from(&self, id: StreamId) -> Place {
        self.place_of(id).unwrap_or(Place::FIRST)
    }

    /// The next place up.
    pub(crate) fn place_after(&self, place: Place) -> Option<Place> {
        let block = self.blocks.get(place.block)?;
        if place.slot + 1 < block.slots.len() {
            return Some(Place {
                slot: place.slot + 1,
                ..place
            });
        }
        Some(Place {
            block: place.block + 1,
            slot: 0,
        })
    }

    /// The next place down.
    pub(crate) fn place_before(&self, place: Place) -> Option<Place> {
        if let Some(slot) = place.slot.checked_sub(1) {
            return Some(Place { slot, ..place });
        }
        let block = place.block.checked_sub(1)?;
        Some(Place {
            block,
            slot: self.blocks[block].slots.len() - 1,
        })
    }

    /// Returns how many entries lie in chunks before this place.
    pub(crate) fn count_before(&self, place: Place) -> u64 {
        if place == self.tail_place() {
            return self.len
                - self
                    .tail
                    .as_deref()
                    .map_or(0, |tail| u64::from(tail.live()));
        }
        let blocks = self.blocks.iter().take(place.block);
        let before: u64 = blocks.map(|block| block.live).sum();
        let Some(block) = self.blocks.get(place.block) else {
            return before;
        };
        let slots = block.slots.iter().take(place.slot);
        before + slots.map(|slot| u64::from(slot.live)).sum::<u64>()
    }

    /// Returns where the entry stands that has `index` entries before it, and how many are before
    /// its chunk.
    pub(crate) fn place_of_nth(&self, index: u64) -> Option<(Place, u64)> {
        if index >= self.len {
            return None;
        }
        let mut before = 0;
        for (block_index, block) in self.blocks.iter().enumerate() {
            if index - before >= block.live {
                before += block.live;
                continue;
            }
            for (slot_index, slot) in block.slots.iter().enumerate() {
                if index - before < u64::from(slot.live) {
                    return Some((
                        Place {
                            block: block_index,
                            slot: slot_index,
                        },
                        before,
                    ));
                }
                before += u64::from(slot.live);
            }
        }
        Some((self.tail_place(), before))
    }

    #[inline]
    pub(super) fn find(&self, id: StreamId) -> Option<(Place, Head)> {
        let place = self.place_of(id)?;
        self.chunk(place)?.find(id).map(|head| (place, head))
    }

    pub(super) fn tail_place(&self) -> Place {
        Place {
            block: self.blocks.len(),
            slot: 0,
        }
    }
}
