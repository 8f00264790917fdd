//! The entries of a stream: chunks in ID order, most of them in copy-on-write blocks.
//!
//! The tail chunk is appended to; a full one moves to the last block. A clone counts up one
//! reference for every block of 128 chunks, and a later write copies the block's pointers and the
//! one chunk that it touches. An ID is found by binary search over blocks, chunks, marks.
//! Counters that outlive entries (last ID, entries added) are the stream's, in `stream.rs`.

mod packing;

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use resp::Reply;
use triomphe::Arc;

use crate::StreamId;
use crate::chunk::{Chunk, Growth, Head};
use crate::limits::{BLOCK_CHUNKS_MAX, CHUNK_BYTES_MAX, PLAIN_CHUNKS};
use crate::lookup::Lookup;
use crate::node::{Node, NodeLimits, OpenNode};
use crate::packed::{Opened, Stored, Unpacked};
use crate::range::{EntryRef, Range, RangeReverse};
use crate::render::Renderer;
use crate::shape::Fields;

use self::packing::Packing;

pub use self::packing::PackJob;

/// The live entries of a stream, sorted by ID.
#[derive(Clone, Debug)]
pub struct Entries {
    /// Full chunks.
    blocks: VecDeque<Block>,
    /// The chunk that is appended to. There is one whenever there are entries.
    tail: Option<Arc<Chunk>>,
    len: u64,
    /// The next entry must be above this; no entry is.
    top: StreamId,
    node: OpenNode,
    /// The hash of the last names that no set had: met twice running, they become one.
    missed: u64,
    /// Whether the last entry's names are a set of the tail, and no chunk has changed but by appending since.
    is_repeatable: bool,
    packing: Packing,
}

/// Neighbouring chunks behind one reference count.
#[derive(Clone, Debug)]
struct Block {
    first: StreamId,
    live: u64,
    slots: Arc<Vec<Slot>>,
}

#[derive(Clone, Debug)]
struct Slot {
    /// At or below every ID of the chunk, above every ID before it.
    first: StreamId,
    live: u16,
    /// Whether packing the chunk as it is now was of no use.
    is_incompressible: bool,
    chunk: Stored,
}

/// Where a chunk stands. The tail stands behind the last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    block: usize,
    slot: usize,
}

impl Place {
    pub(crate) const FIRST: Place = Place { block: 0, slot: 0 };
}

/// Where a node ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEnd {
    /// How many entries there are up to its end.
    pub(crate) entry_count: u64,
    /// Where the next one begins; `None` if there is no other.
    pub(crate) next_id: Option<StreamId>,
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
        let mut chunk = Arc::make_mut(tail);
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
            form = chunk.form(fields.clone());
            entry_bytes = chunk.entry_bytes(id, form);
        }
        chunk.reserve(entry_bytes, growth);
        chunk.append(id, fields, form, entry_bytes, node);
        self.top = id;
        self.len += 1;
        self.is_repeatable = !form.is_own();
        Ok(())
    }

    /// Appends an entry that has the names of the entry that was appended last, which are not looked at for
    /// that. Whether it was appended: it is not where it would need more than a look at the last one.
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
        let chunk = Arc::make_mut(tail);
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

    /// Removes the entry with this ID; says whether there was one.
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
        let before = self.len;
        self.cut_through(id);
        if self.len < before {
            self.keep_front_plain();
        }
        self.node.remove_through(id, self.len);
        before - self.len
    }

    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many chunks hold the entries.
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

    /// Looks up one entry after the other, which costs less than [`Entries::entry`] for each where they are
    /// neighbours.
    pub fn look_up(&self) -> Lookup<'_> {
        Lookup::new(self)
    }

    /// Whether there is an entry with this ID.
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

    /// Writes the entries from `start` to `end`, both included, lowest first and at most `limit`:
    /// each as `[id, [name, value, …]]`. Returns how many. Chunks that have to be unpacked are looked for in
    /// `unpacked`, and left there.
    pub fn write_range(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
    ) -> u64 {
        self.write_range_noting(start, end, limit, unpacked, reply, |_| {})
    }

    /// The same, and tells the ID of each entry.
    #[inline]
    pub fn write_range_noting(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
        mut note: impl FnMut(StreamId),
    ) -> u64 {
        reply.raw_with(|out| {
            let mut renderer = Renderer::new(out);
            let mut left = limit;
            let mut next = Some(self.place_from(start));
            'chunks: while let Some(place) = next
                && let Some(opened) = self.open_in(place, unpacked)
            {
                let chunk = &*opened;
                let mut at = chunk.seek(start).0;
                while let Some(head) = chunk.live_from(at) {
                    if left == 0 || head.id > end {
                        break 'chunks;
                    }
                    at = renderer.entry(chunk, &head);
                    note(head.id);
                    left -= 1;
                }
                next = self.place_after(place);
            }
            renderer.finish();
            limit - left
        })
    }

    /// The same, highest first.
    pub fn write_range_reverse(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        reply: &mut Reply,
    ) -> u64 {
        reply.raw_with(|out| {
            let mut renderer = Renderer::new(out);
            let mut count = 0;
            let mut range = self.range_reverse(start, end);
            while count < limit && range.render_next(&mut renderer).is_some() {
                count += 1;
            }
            renderer.finish();
            count
        })
    }

    /// Reads what an append looks at first: the end of the tail, and the names of its last entry.
    #[inline]
    pub(crate) fn peek_tail(&self) -> Option<(u8, u8)> {
        self.tail.as_ref()?.peek()
    }

    /// How many entries have an ID below `id`.
    pub fn count_below(&self, id: StreamId) -> u64 {
        let Some(place) = self.place_of(id) else {
            return 0;
        };
        let inside = self.chunk(place).map_or(0, |chunk| chunk.live_below(id));
        self.count_before(place) + u64::from(inside)
    }

    /// How many entries have an ID above `id`.
    pub fn count_above(&self, id: StreamId) -> u64 {
        id.next()
            .map_or(0, |next| self.len - self.count_below(next))
    }

    /// How many entries lie between `start` and `end`, both included.
    pub fn count_between(&self, start: StreamId, end: StreamId) -> u64 {
        let through_end = end.next().map_or(self.len, |next| self.count_below(next));
        through_end.saturating_sub(self.count_below(start))
    }

    /// The entry that has `index` entries before it.
    pub fn nth(&self, index: u64) -> Option<EntryRef<'_>> {
        let (place, before) = self.place_of_nth(index)?;
        let chunk = self.chunk(place)?;
        let head = chunk.select((index - before) as u16)?;
        Some(EntryRef::new(chunk, head))
    }

    /// Bytes on the heap. Looks at every chunk, or at about `samples` of them if that is not 0.
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

    /// The most of the first nodes that have at most `entries_max` entries together, if there are
    /// any: an ID between them and the rest, and how many entries they have.
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
                let tail = self.tail.as_deref()?;
                (place == self.tail_place()).then_some(Opened::Lent(tail))
            }
        }
    }

    /// The same, if it was not unpacked just before.
    #[inline]
    fn open_in(&self, place: Place, unpacked: &mut Unpacked) -> Option<Opened<'_>> {
        match self.blocks.get(place.block) {
            Some(block) => Some(block.slots.get(place.slot)?.chunk.open_in(unpacked)),
            None => self.open(place, None),
        }
    }

    /// How many entries the chunk at this place has.
    fn live_at(&self, place: Place) -> u16 {
        match self.blocks.get(place.block) {
            Some(block) => block.slots.get(place.slot).map_or(0, |slot| slot.live),
            None => self.tail.as_deref().map_or(0, Chunk::live),
        }
    }

    /// Where an entry with this ID must be: the last chunk that does not begin above it.
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

    /// Where a walk upwards from this ID begins.
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

    /// How many entries lie in chunks before this place.
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

    /// Where the entry stands that has `index` entries before it, and how many are before its chunk.
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
    fn find(&self, id: StreamId) -> Option<(Place, Head)> {
        let place = self.place_of(id)?;
        self.chunk(place)?.find(id).map(|head| (place, head))
    }

    /// Seals the tail and begins another one with an entry of this ID.
    #[cold]
    fn next_tail(&mut self, id: StreamId) -> &mut Chunk {
        let mut shapes = None;
        if let Some(mut full) = self.tail.take() {
            // A frozen view may hold it too; then it stays as large as it is.
            if let Some(full) = Arc::get_mut(&mut full) {
                full.seal();
            }
            shapes = full.shapes_for_next();
            self.push_sealed(full);
        }
        let is_long = self
            .blocks
            .front()
            .is_some_and(|block| block.slots.len() >= LONG_CHUNKS);
        let bytes = if is_long {
            CHUNK_BYTES_MAX
        } else {
            NEXT_CHUNK_BYTES
        };
        let tail = Arc::new(Chunk::new(id, shapes, bytes));
        Arc::make_mut(self.tail.insert(tail))
    }

    fn push_sealed(&mut self, chunk: Arc<Chunk>) {
        let slot = Slot {
            first: chunk.base(),
            live: chunk.live(),
            is_incompressible: false,
            chunk: Stored::Plain(chunk),
        };
        if slot.live == 0 {
            return;
        }
        let first_is_long = |block: &Block| block.slots.len() >= PLAIN_CHUNKS;
        let is_long = self.blocks.len() > 1 || self.blocks.front().is_some_and(first_is_long);
        self.packing.note_sealed(is_long);
        match self
            .blocks
            .back_mut()
            .filter(|block| block.slots.len() < BLOCK_CHUNKS_MAX)
        {
            Some(block) => {
                block.live += u64::from(slot.live);
                Arc::make_mut(&mut block.slots).push(slot);
            }
            None => self.blocks.push_back(Block {
                first: slot.first,
                live: slot.live.into(),
                slots: Arc::new(vec![slot]),
            }),
        }
    }

    /// Changes the chunk at this place, keeps the counts, and drops a chunk that got empty.
    /// `change` says whether a node that began there has to begin behind it.
    fn change(&mut self, place: Place, change: impl FnOnce(&mut Chunk) -> Node) {
        let tail_place = self.tail_place();
        let Some(chunk) = self.chunk_mut(place) else {
            return;
        };
        let before = chunk.live();
        let mut moved = change(chunk);
        let live = chunk.live();
        if live == 0 && chunk.node() == Node::Begins {
            moved = Node::Begins;
        }
        if live == 0 && place == tail_place {
            chunk.clear();
        }
        let removed = u64::from(before - live);
        self.len -= removed;
        let mut next = self.place_after(place);
        if let Some(block) = self.blocks.get_mut(place.block) {
            block.live -= removed;
            let slots = Arc::make_mut(&mut block.slots);
            slots[place.slot].live = live;
            if live == 0 {
                slots.remove(place.slot);
                next = Some(place);
                if slots.is_empty() {
                    self.blocks.remove(place.block);
                } else if slots.len() == place.slot {
                    next = Some(Place {
                        block: place.block + 1,
                        slot: 0,
                    });
                }
            }
        }
        // What comes first begins a node in any case.
        if moved == Node::Begins
            && let Some(next) = next.filter(|&next| next != Place::FIRST)
            && let Some(chunk) = self.chunk_mut(next)
        {
            chunk.begin_node();
        }
    }

    fn chunk_mut(&mut self, place: Place) -> Option<&mut Chunk> {
        self.is_repeatable = false;
        match self.blocks.get_mut(place.block) {
            Some(block) => {
                let slot = Arc::make_mut(&mut block.slots).get_mut(place.slot)?;
                if slot.chunk.is_packed() || slot.is_incompressible {
                    slot.is_incompressible = false;
                    self.packing.note_changed(slot.first);
                }
                slot.chunk.chunk_mut()
            }
            None => self.tail.as_mut().map(Arc::make_mut),
        }
    }

    fn cut_through(&mut self, id: StreamId) {
        while let Some(block) = self.blocks.front().filter(|block| block.first <= id) {
            let next = self.blocks.get(1).map(|block| block.first);
            let next = next.or_else(|| self.tail.as_deref().map(Chunk::base));
            if next.is_none_or(|next| next > id) {
                return self.cut_front_block(id);
            }
            self.len -= block.live;
            self.blocks.pop_front();
        }
        if self.tail.as_deref().is_some_and(|tail| tail.base() <= id) {
            self.cut_chunk(self.tail_place(), id);
        }
    }

    /// Removes what is up to `id` from the first block; its last chunk may go beyond.
    fn cut_front_block(&mut self, id: StreamId) {
        let Some(block) = self.blocks.front_mut() else {
            return;
        };
        let last = block
            .slots
            .partition_point(|slot| slot.first <= id)
            .saturating_sub(1);
        if last > 0 {
            let whole = Arc::make_mut(&mut block.slots).drain(..last);
            let removed: u64 = whole.map(|slot| u64::from(slot.live)).sum();
            block.live -= removed;
            self.len -= removed;
        }
        self.cut_chunk(Place::FIRST, id);
    }

    fn cut_chunk(&mut self, place: Place, id: StreamId) {
        let first = match self.blocks.get(place.block) {
            Some(block) => block
                .slots
                .get(place.slot)
                .and_then(|slot| slot.chunk.first_live()),
            None => self.tail.as_deref().and_then(Chunk::first_live),
        };
        // Copying a shared chunk is worth it only if something goes.
        if first.is_some_and(|first| first <= id) {
            self.change(place, |chunk| {
                chunk.cut_through(id);
                chunk.reclaim()
            });
        }
    }

    fn tail_place(&self) -> Place {
        Place {
            block: self.blocks.len(),
            slot: 0,
        }
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

/// What a second chunk begins with; the first one of a stream begins with its first entry.
const NEXT_CHUNK_BYTES: usize = 2048;

/// From so many chunks on the next one is reserved whole.
const LONG_CHUNKS: usize = 8;

/// A hash of the names. Equal ones by chance make a set that is of no use, nothing worse.
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
