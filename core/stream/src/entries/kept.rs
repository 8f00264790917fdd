//! What a view of entries keeps in memory, which its holder counts if nobody else has it.

use resp::{Kept, Parts};
use triomphe::Arc;

use super::{Block, Entries, Slot};
use crate::chunk::Chunk;
use crate::limits::CHUNK_BYTES_MAX;
use crate::packed::Stored;

impl Entries {
    /// Shows `see` each piece that a write copies before it changes it.
    pub(super) fn refers_to<'e>(&'e self, see: &mut dyn FnMut(Kept, Option<&'e dyn Parts>)) {
        for block in &self.blocks {
            see(block.kept(), Some(block));
        }
        if let Some(tail) = &self.tail {
            see(kept_chunk(tail), None);
        }
    }
}

impl Block {
    fn kept(&self) -> Kept {
        let chunks = self.slots.iter().map(|slot| match slot.live {
            // Only a chunk of one entry may be larger than others.
            0 | 1 => slot.chunk.kept().bytes.max(CHUNK_BYTES_MAX),
            _ => CHUNK_BYTES_MAX,
        });
        Kept {
            address: Arc::as_ptr(&self.slots).addr(),
            bytes: chunks.sum(),
            holders: Arc::strong_count(&self.slots),
        }
    }
}

impl Parts for Block {
    fn parts(&self, see: &mut dyn FnMut(Kept)) {
        see(Kept {
            address: Arc::as_ptr(&self.slots).addr(),
            bytes: self.slots.capacity() * size_of::<Slot>(),
            holders: 1,
        });
        self.slots.iter().for_each(|slot| see(slot.chunk.kept()));
    }
}

impl Stored {
    fn kept(&self) -> Kept {
        let (address, holders) = match self {
            Stored::Plain(chunk) => (Arc::as_ptr(chunk).addr(), Arc::strong_count(chunk)),
            Stored::Packed(packed) => (Arc::as_ptr(packed).addr(), Arc::strong_count(packed)),
        };
        Kept {
            address,
            bytes: self.heap_bytes(),
            holders,
        }
    }
}

/// What a reference to a chunk keeps.
pub(crate) fn kept_chunk(chunk: &Arc<Chunk>) -> Kept {
    Kept {
        address: Arc::as_ptr(chunk).addr(),
        bytes: chunk.heap_bytes(),
        holders: Arc::strong_count(chunk),
    }
}
