//! What happens to chunks when entries come and go: full ones move into blocks, sparse ones shrink,
//! empty ones are removed.

use triomphe::Arc;

use super::footprint::slot_bytes;
use super::{Block, Entries, Place, Removed, Slot};
use crate::StreamId;
use crate::chunk::Chunk;
use crate::limits::{BLOCK_CHUNKS_MAX, CHUNK_BYTES_MAX, PLAIN_CHUNKS};
use crate::node::Node;
use crate::packed::Stored;

impl Entries {
    /// Seals the tail and begins another one with an entry of this ID.
    #[cold]
    pub(super) fn next_tail(&mut self, id: StreamId) -> &mut Chunk {
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

    pub(super) fn push_sealed(&mut self, chunk: Arc<Chunk>) {
        let slot = Slot {
            first: chunk.base(),
            live: chunk.live(),
            bytes: slot_bytes(chunk.heap_bytes()),
            is_incompressible: false,
            chunk: Stored::Plain(chunk),
        };
        if slot.live == 0 {
            return;
        }
        let first_is_long = |block: &Block| block.slots.len() >= PLAIN_CHUNKS;
        let is_long = self.blocks.len() > 1 || self.blocks.front().is_some_and(first_is_long);
        self.packing.note_sealed(is_long);
        self.full_bytes += u64::from(slot.bytes);
        match self
            .blocks
            .back_mut()
            .filter(|block| block.slots.len() < BLOCK_CHUNKS_MAX)
        {
            Some(block) => {
                block.live += u64::from(slot.live);
                block.bytes += u64::from(slot.bytes);
                Arc::make_mut(&mut block.slots).push(slot);
            }
            None => self.blocks.push_back(Block {
                first: slot.first,
                live: slot.live.into(),
                bytes: slot.bytes.into(),
                slots: Arc::new(vec![slot]),
            }),
        }
    }

    /// Changes the chunk at this place, updates the counts, and drops the chunk if it became empty.
    /// `change` says whether a node that began there has to begin behind it.
    pub(super) fn change(&mut self, place: Place, change: impl FnOnce(&mut Chunk) -> Node) {
        let tail_place = self.tail_place();
        let chunk = self.chunk_mut(place).expect("the place was found here");
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
        self.weigh(place);
        let mut next = self.place_after(place);
        if let Some(block) = self.blocks.get_mut(place.block) {
            block.live -= removed;
            let slots = Arc::make_mut(&mut block.slots);
            slots[place.slot].live = live;
            if live == 0 {
                let bytes = u64::from(slots.remove(place.slot).bytes);
                block.bytes -= bytes;
                self.full_bytes -= bytes;
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
            self.weigh(next);
        }
    }

    pub(super) fn chunk_mut(&mut self, place: Place) -> Option<&mut Chunk> {
        self.is_repeatable = false;
        match self.blocks.get_mut(place.block) {
            Some(block) => {
                let slot = Arc::make_mut(&mut block.slots).get_mut(place.slot)?;
                if slot.chunk.is_packed() || slot.is_incompressible {
                    slot.is_incompressible = false;
                    self.packing.note_changed(slot.first);
                }
                Some(slot.chunk.chunk_mut())
            }
            None => self.tail.as_mut().map(Arc::make_mut),
        }
    }

    pub(super) fn cut_through(&mut self, id: StreamId, removed: &mut Removed) {
        while let Some(block) = self.blocks.front().filter(|block| block.first <= id) {
            let next = self.blocks.get(1).map(|block| block.first);
            let next = next.or_else(|| self.tail.as_deref().map(Chunk::base));
            if next.is_none_or(|next| next > id) {
                return self.cut_front_block(id);
            }
            self.len -= block.live;
            self.full_bytes -= block.bytes;
            removed.chunks += block.slots.len();
            removed.blocks.extend(self.blocks.pop_front());
        }
        if self.tail.as_deref().is_some_and(|tail| tail.base() <= id) {
            self.cut_chunk(self.tail_place(), id);
        }
    }

    /// Removes what is up to `id` from the first block; its last chunk may go beyond.
    fn cut_front_block(&mut self, id: StreamId) {
        let block = self.blocks.front_mut().expect("the block was found here");
        let last = block
            .slots
            .partition_point(|slot| slot.first <= id)
            .saturating_sub(1);
        if last > 0 {
            let whole = Arc::make_mut(&mut block.slots).drain(..last);
            let (mut removed, mut bytes) = (0, 0);
            for slot in whole {
                removed += u64::from(slot.live);
                bytes += u64::from(slot.bytes);
            }
            block.live -= removed;
            block.bytes -= bytes;
            self.len -= removed;
            self.full_bytes -= bytes;
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
}

/// From this many chunks on, memory for the next one is reserved as a whole.
const LONG_CHUNKS: usize = 8;

/// What a second chunk begins with; the first one of a stream begins with its first entry.
const NEXT_CHUNK_BYTES: usize = 2048;
