//! What the chunks of a stream take in memory, known without a walk over them.

use triomphe::Arc;

use super::{Entries, Place};
use crate::chunk::Chunk;

impl Entries {
    /// Bytes of the chunks that hold the entries, packed ones as they are packed. What entries
    /// share (sets of names) and what finds the chunks is not included.
    #[inline]
    pub fn chunk_bytes(&self) -> u64 {
        let tail = self.tail.as_deref().map_or(0, Chunk::heap_bytes);
        self.full_bytes + tail as u64
    }

    /// As many of the first chunks as may go so that at least `bytes_min` bytes stay, but only as
    /// many as have about `entries_max` entries, at least one: how many entries those are. The
    /// chunk that is appended to always stays.
    pub(crate) fn entries_beyond(&self, bytes_min: u64, entries_max: u64) -> u64 {
        let (mut left, mut entries) = (self.chunk_bytes(), 0);
        for slot in self.blocks.iter().flat_map(|block| block.slots.iter()) {
            let stays = left.saturating_sub(slot.bytes.into());
            if stays < bytes_min || entries >= entries_max {
                break;
            }
            left = stays;
            entries += u64::from(slot.live);
        }
        entries
    }

    /// Takes into account what the chunk at this place takes, which has just changed.
    pub(super) fn weigh(&mut self, place: Place) {
        let Some(block) = self.blocks.get_mut(place.block) else {
            return;
        };
        let Some(slot) = Arc::make_mut(&mut block.slots).get_mut(place.slot) else {
            return;
        };
        let before = u64::from(slot.bytes);
        slot.bytes = slot_bytes(slot.chunk.heap_bytes());
        let after = u64::from(slot.bytes);
        block.bytes = block.bytes - before + after;
        self.full_bytes = self.full_bytes - before + after;
    }
}

/// What a slot notes of this many bytes.
pub(super) fn slot_bytes(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
