//! The entries of a stream: chunks in ID order, most of them in copy-on-write blocks.
//!
//! The tail chunk is appended to; a full one moves to the last block. A clone takes one more
//! reference to every block of 128 chunks, and a later write copies the block's pointers and the
//! one chunk that it touches. An ID is found by binary search over blocks, chunks, marks. Counters
//! that outlive entries (last ID, entries added) are the stream's, in `stream.rs`.

mod chosen;
mod footprint;
mod kept;
mod packing;
mod places;
mod run;
mod upkeep;
mod write;

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};

use collections::owned;
use foldhash::fast::FixedState;
use triomphe::Arc;

use crate::StreamId;
use crate::ascending::ascending;
use crate::chunk::{Chunk, Form, Growth};
use crate::limits::CHUNK_BYTES_MAX;
use crate::lookup::Lookup;
use crate::node::{NodeLimits, OpenNode};
use crate::packed::Stored;
use crate::range::{EntryRef, Range, RangeReverse};
use crate::shape::Fields;

use self::packing::Packing;

pub use self::chosen::{Chosen, ChosenWriter, Past};

pub(crate) use self::kept::kept_chunk;
pub(crate) use self::places::Place;

pub use self::packing::PackJob;

/// The live entries of a stream, sorted by ID.
#[derive(Clone, Debug)]
pub struct Entries {
    /// Full chunks.
    blocks: VecDeque<Block>,
    /// The chunk that is appended to. There is one whenever there are entries.
    tail: Option<Arc<Chunk>>,
    len: u64,
    /// What the full chunks take in memory.
    full_bytes: u64,
    /// The next entry must be above this, and no entry is.
    top: StreamId,
    node: OpenNode,
    /// The hash of the last names that were in no set. If they come twice in a row, they become
    /// one.
    missed: u64,
    /// The names of the last entry are a set of the tail, and since then chunks have changed by
    /// appending only.
    is_repeatable: bool,
    packing: Packing,
}

/// Neighbouring chunks behind one reference count.
#[derive(Clone, Debug)]
struct Block {
    first: StreamId,
    live: u64,
    bytes: u64,
    slots: Arc<Vec<Slot>>,
}

#[derive(Clone, Debug)]
struct Slot {
    /// At or below every ID of the chunk, above every ID before it.
    first: StreamId,
    live: u16,
    /// What the chunk takes in memory; capped, for a chunk of one very large entry.
    bytes: u32,
    /// Packing the chunk in its current form was found useless.
    is_incompressible: bool,
    chunk: Stored,
}

/// Entries that were removed and are still in memory: dropping this frees them. Millions take so
/// long that they are returned, to be dropped where nobody waits.
#[derive(Debug, Default)]
pub struct Removed {
    blocks: Vec<Block>,
    chunks: usize,
}

impl Removed {
    /// About how many bytes are freed with it.
    pub fn bytes(&self) -> usize {
        self.chunks * CHUNK_BYTES_MAX
    }
}

/// An append with an ID that is not above the last entry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {id} is not above the one before it")]
pub struct OutOfOrder {
    /// The ID that was refused.
    pub id: StreamId,
}

impl Entries {
    /// No entries.
    pub const fn new() -> Entries {
        Entries {
            blocks: VecDeque::new(),
            tail: None,
            len: 0,
            full_bytes: 0,
            top: StreamId::MIN,
            node: OpenNode::NONE,
            missed: 0,
            is_repeatable: false,
            packing: Packing::NONE,
        }
    }

    /// Appends an entry; `fields` are names and values in turn, a name without value is left out.
    ///
    /// # Errors
    /// [`OutOfOrder`] if `id` is not above every entry that was ever here, or what
    /// [`Entries::allow_above`] has set since; nothing has changed then.
    #[inline]
    pub fn append<'f>(
        &mut self,
        id: StreamId,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
    ) -> Result<(), OutOfOrder> {
        self.append_with(id, fields, limits, None)
    }

    /// The same, in memory that was made for the entry, if it does not share a chunk with others.
    ///
    /// # Errors
    /// As [`Entries::append`].
    #[inline(never)]
    pub fn append_in<'f>(
        &mut self,
        id: StreamId,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
        memory: Vec<u8>,
    ) -> Result<(), OutOfOrder> {
        self.append_with(id, fields, limits, Some(memory))
    }

    #[inline(always)]
    fn append_with<'f>(
        &mut self,
        id: StreamId,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
        memory: Option<Vec<u8>>,
    ) -> Result<(), OutOfOrder> {
        if id <= self.top {
            return Err(OutOfOrder { id });
        }
        let growth = if self.blocks.is_empty() {
            Growth::Tight
        } else {
            Growth::Double
        };
        let tail = match &mut self.tail {
            Some(tail) => tail,
            None => self.tail.insert(Arc::new(Chunk::new(id, None, 0))),
        };
        let mut chunk = owned(tail);
        let mut form = chunk.form(fields.clone());
        if form.is_own() {
            let hash = names_hash(fields.clone());
            if hash == self.missed {
                form = chunk.share_names(fields.clone()).unwrap_or(form);
            }
            self.missed = hash;
        }
        let node = self.node.append(id, form, limits);
        let mut entry_bytes = chunk.entry_bytes(id, form);
        if !chunk.has_room(entry_bytes) {
            chunk = self.next_tail(id);
            form = form_in_new(chunk, fields.clone());
            entry_bytes = chunk.entry_bytes(id, form);
        }
        if let Some(memory) = memory {
            chunk.use_memory(memory);
        }
        chunk.reserve(entry_bytes, growth);
        chunk.append(id, fields, form, entry_bytes, node);
        self.top = id;
        self.len += 1;
        self.is_repeatable = !form.is_own();
        Ok(())
    }

    /// Appends an entry with the names of the entry that was appended last, without comparing them.
    /// Returns false, having appended nothing, if that would take more than a look at the last
    /// entry.
    ///
    /// # Errors
    /// As [`Entries::append`].
    #[inline]
    pub fn append_like_last<'f>(
        &mut self,
        id: StreamId,
        values: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
    ) -> Result<bool, OutOfOrder> {
        if id <= self.top {
            return Err(OutOfOrder { id });
        }
        let Some(tail) = self.tail.as_mut().filter(|_| self.is_repeatable) else {
            return Ok(false);
        };
        let chunk = owned(tail);
        let Some(form) = chunk.form_like_last(values.clone()) else {
            return Ok(false);
        };
        let entry_bytes = chunk.entry_bytes(id, form);
        if !chunk.has_room(entry_bytes) {
            return Ok(false);
        }
        let node = self.node.append(id, form, limits);
        chunk.reserve(entry_bytes, Growth::Double);
        chunk.append_values(id, values, form, entry_bytes, node);
        self.top = id;
        self.len += 1;
        Ok(true)
    }

    /// Lets the next entry have any ID above this one and above the last entry there is, even if
    /// entries that are gone had greater ones.
    pub fn allow_above(&mut self, id: StreamId) {
        let last = self.last().map_or(StreamId::MIN, |entry| entry.id());
        self.top = self.top.min(id.max(last));
        if self
            .tail
            .as_deref()
            .is_some_and(|tail| tail.live() < tail.ordinals())
        {
            // What is dead would be out of order with what comes.
            let place = self.tail_place();
            self.change(place, Chunk::rewrite);
        }
    }

    /// Removes the entry with this ID; returns whether there was one.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some((place, head)) = self.find(id) else {
            return false;
        };
        self.change(place, |chunk| {
            chunk.delete(head.at);
            chunk.reclaim()
        });
        self.node.delete(id);
        true
    }

    /// Removes every entry up to and including `id`; returns how many.
    pub fn remove_through(&mut self, id: StreamId) -> u64 {
        self.take_through(id, &mut Removed::default())
    }

    /// The same, but most of the memory of many entries goes to `removed`.
    pub fn take_through(&mut self, id: StreamId, removed: &mut Removed) -> u64 {
        let before = self.len;
        self.cut_through(id, removed);
        if self.len < before {
            self.keep_front_plain();
        }
        self.node.remove_through(id, self.len);
        before - self.len
    }

    /// The number of entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether there are no entries.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns how many chunks hold the entries.
    pub fn chunk_count(&self) -> usize {
        let sealed: usize = self.blocks.iter().map(|block| block.slots.len()).sum();
        sealed + usize::from(self.tail.is_some())
    }

    /// The entry with this ID.
    #[inline]
    pub fn entry(&self, id: StreamId) -> Option<EntryRef<'_>> {
        let chunk = self.chunk(self.place_of(id)?)?;
        let head = chunk.find(id)?;
        Some(EntryRef::new(chunk, head))
    }

    /// Looks up one entry after the other. For neighbours this costs less than [`Entries::entry`]
    /// for each.
    pub fn look_up(&self) -> Lookup<'_> {
        Lookup::new(self)
    }

    /// Returns which of the IDs, in any order, belong to entries. They are looked up from the
    /// lowest on, so that each packed chunk is unpacked once at most.
    pub fn contain(&self, ids: &[StreamId]) -> Vec<bool> {
        let mut look = self.look_up();
        if ids.is_sorted() {
            return ids.iter().map(|id| look.contains(*id)).collect();
        }
        let mut found = vec![false; ids.len()];
        for (id, place) in ascending(ids) {
            found[place as usize] = look.contains(id);
        }
        found
    }

    /// Returns whether there is an entry with this ID.
    #[inline]
    pub fn contains(&self, id: StreamId) -> bool {
        self.find(id).is_some()
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> Option<EntryRef<'_>> {
        let chunk = self.chunk(Place::FIRST)?;
        let head = chunk.live_from(chunk.front())?;
        Some(EntryRef::new(chunk, head))
    }

    /// The ID of the first entry.
    #[inline]
    pub fn first_id(&self) -> Option<StreamId> {
        match self.blocks.front() {
            Some(block) => block.slots.first()?.chunk.first_live(),
            None => self.tail.as_deref()?.first_live(),
        }
    }

    /// The last entry.
    pub fn last(&self) -> Option<EntryRef<'_>> {
        self.range_reverse(StreamId::MIN, StreamId::MAX).next()
    }

    /// The entries from `start` to `end`, both included, lowest first.
    #[inline]
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        Range::new(self, start, end)
    }

    /// The entries from `start` to `end`, both included, highest first.
    #[inline]
    pub fn range_reverse(&self, start: StreamId, end: StreamId) -> RangeReverse<'_> {
        RangeReverse::new(self, start, end)
    }

    /// Every entry, lowest first.
    pub fn iter(&self) -> Range<'_> {
        self.range(StreamId::MIN, StreamId::MAX)
    }

    /// Reads a little of what an append needs; see [`Stream::peek`](crate::Stream::peek).
    #[inline]
    pub(crate) fn peek(&self) -> u64 {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.peek());
        tail ^ self.len ^ self.missed ^ self.packing_due_ms().unwrap_or_default()
    }

    /// Returns the bytes on the heap. Looks at every chunk, or at about `samples` of them if that
    /// is not 0.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let chunk_count = self.chunk_count();
        let step = chunk_count
            .checked_div(samples)
            .map_or(1, |step| step.max(1));
        let slots = self.blocks.iter().flat_map(|block| block.slots.iter());
        let tail = self.tail.clone().map(Stored::Plain);
        let chunks = slots.map(|slot| &slot.chunk).chain(&tail);
        let (mut bytes, mut seen, mut shapes_before) = (0, 0, None);
        let mut shape_bytes = 0;
        for chunk in chunks.step_by(step) {
            bytes += chunk.heap_bytes();
            seen += 1;
            // Neighbours mostly share one table.
            let shapes = chunk.shapes().map(Arc::as_ptr);
            if shapes != shapes_before {
                shape_bytes += chunk.shapes().map_or(0, |shapes| shapes.heap_bytes());
                shapes_before = shapes;
            }
        }
        if seen > 0 && seen < chunk_count {
            bytes = (bytes as u64 * chunk_count as u64 / seen as u64) as usize;
        }
        let slot_count: usize = self.blocks.iter().map(|block| block.slots.capacity()).sum();
        let vectors = self.blocks.len() * (size_of::<usize>() + size_of::<Vec<Slot>>());
        let blocks = self.blocks.capacity() * size_of::<Block>();
        bytes + shape_bytes + slot_count * size_of::<Slot>() + vectors + blocks
    }
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::new()
    }
}

impl<'e> IntoIterator for &'e Entries {
    type Item = EntryRef<'e>;
    type IntoIter = Range<'e>;

    fn into_iter(self) -> Range<'e> {
        self.iter()
    }
}

/// How an entry with these fields would be stored in a chunk that was just begun.
#[inline(never)]
fn form_in_new<'f>(chunk: &Chunk, fields: impl Fields<'f>) -> Form {
    chunk.form(fields)
}

/// A hash of the names. If two are equal by chance, a useless set is made, nothing worse.
fn names_hash<'f>(fields: impl Fields<'f>) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for name in fields.step_by(2) {
        hasher.write(name);
        hasher.write_usize(name.len());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
