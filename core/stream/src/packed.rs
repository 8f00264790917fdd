//! Chunks that are no longer appended to, with their entries compressed by LZ4.
//!
//! What a chunk knows of its entries as a whole (marks, counts, the IDs at its ends) stays as it
//! is; only their bytes are packed. Reading unpacks a chunk for as long as it is in use. A
//! change makes it plain for good. Neither reads nor changes depend on which chunks are packed.
//! `entries/packing.rs` decides when to pack, and `docs/decisions/0007-packed-chunks.md` says why
//! with LZ4.

use std::ops::Deref;

use triomphe::{Arc, ArcBorrow};

use crate::StreamId;
use crate::chunk::Chunk;
use crate::limits::{CHUNK_BYTES_MAX, PACKED_BYTES_MAX, PACKED_BYTES_MIN, UNPACKED_CHUNKS};
use crate::shape::Shapes;

/// A chunk with its entries compressed.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The chunk without its data.
    chunk: Chunk,
    bytes: Box<[u8]>,
    data_bytes: usize,
    /// The ID of the first live entry.
    first_live: StreamId,
}

/// A chunk as it is kept.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    Plain(Arc<Chunk>),
    Packed(Arc<Packed>),
}

/// A chunk as it is read.
#[derive(Clone, Debug)]
pub(crate) enum Opened<'e> {
    /// It is kept plain.
    Lent(ArcBorrow<'e, Chunk>),
    /// It was unpacked. Readers of its entries hold it.
    Own(Arc<Chunk>),
}

impl Packed {
    /// The chunk packed, if that saves at least an eighth.
    pub(crate) fn of(chunk: &Chunk) -> Option<Packed> {
        let data = chunk.data();
        if !(PACKED_BYTES_MIN..=PACKED_BYTES_MAX).contains(&data.len()) {
            return None;
        }
        let first_live = chunk.first_live()?;
        let bytes = lz4_flex::block::compress(data);
        if bytes.len() > data.len() - data.len() / 8 {
            return None;
        }
        Some(Packed {
            chunk: chunk.without_data(),
            bytes: bytes.into_boxed_slice(),
            data_bytes: data.len(),
            first_live,
        })
    }

    /// The chunk as it was before.
    pub(crate) fn unpack(&self) -> Chunk {
        let mut chunk = self.chunk.clone();
        self.unpack_into(Vec::new(), &mut chunk);
        chunk
    }

    /// The chunk as it was before, in the memory of one that was read earlier and is no longer in
    /// use.
    fn open(&self, spare: Option<Arc<Chunk>>) -> Arc<Chunk> {
        let Some(mut opened) = spare else {
            return Arc::new(self.unpack());
        };
        let Some(chunk) = Arc::get_mut(&mut opened) else {
            return Arc::new(self.unpack());
        };
        let buffer = chunk.take_data();
        *chunk = self.chunk.clone();
        self.unpack_into(buffer, chunk);
        opened
    }

    /// Fills the chunk with the entries. If the bytes are not what was packed, which only faulty
    /// memory can cause, this must not yield an empty chunk: sooner or later that would be made
    /// durable.
    fn unpack_into(&self, mut buffer: Vec<u8>, chunk: &mut Chunk) {
        buffer.resize(self.data_bytes, 0);
        let unpacked = lz4_flex::block::decompress_into(&self.bytes, &mut buffer);
        assert!(
            unpacked.is_ok_and(|bytes| bytes == self.data_bytes),
            "packed entries of a stream are damaged in memory"
        );
        chunk.put_data(buffer);
    }
}

impl Stored {
    /// The chunk, to be read. `spare` is one that was opened before and is not needed any more.
    #[inline]
    pub(crate) fn open(&self, spare: Option<Arc<Chunk>>) -> Opened<'_> {
        match self {
            Stored::Plain(chunk) => Opened::Lent(chunk.borrow_arc()),
            Stored::Packed(packed) => Opened::Own(packed.open(spare)),
        }
    }

    /// The same, if it was not unpacked just before.
    #[inline]
    pub(crate) fn open_in(&self, unpacked: &mut Unpacked) -> Opened<'_> {
        match self {
            Stored::Plain(chunk) => Opened::Lent(chunk.borrow_arc()),
            Stored::Packed(packed) => Opened::Own(unpacked.open(packed)),
        }
    }

    /// The chunk, to be changed: plain from now on.
    #[inline]
    pub(crate) fn chunk_mut(&mut self) -> &mut Chunk {
        if let Stored::Packed(packed) = self {
            *self = Stored::Plain(Arc::new(packed.unpack()));
        }
        match self {
            Stored::Plain(chunk) => Arc::make_mut(chunk),
            Stored::Packed(_) => unreachable!("it was made plain just now"),
        }
    }

    /// The ID of the first live entry.
    #[inline]
    pub(crate) fn first_live(&self) -> Option<StreamId> {
        match self {
            Stored::Plain(chunk) => chunk.first_live(),
            Stored::Packed(packed) => Some(packed.first_live),
        }
    }

    /// The sets of names that entries refer to.
    pub(crate) fn shapes(&self) -> Option<&Arc<Shapes>> {
        self.outline().shapes()
    }

    /// Returns whether the entries are packed.
    pub(crate) fn is_packed(&self) -> bool {
        matches!(self, Stored::Packed(_))
    }

    /// Bytes on the heap, without the shared sets of names.
    pub(crate) fn heap_bytes(&self) -> usize {
        let packed = match self {
            Stored::Plain(_) => 0,
            Stored::Packed(packed) => size_of::<Packed>() - size_of::<Chunk>() + packed.bytes.len(),
        };
        self.outline().heap_bytes() + packed
    }

    /// The chunk, perhaps without its data.
    fn outline(&self) -> &Chunk {
        match self {
            Stored::Plain(chunk) => chunk,
            Stored::Packed(packed) => &packed.chunk,
        }
    }
}

/// The chunks that were unpacked last, so that a client that reads a stream a few entries at a time
/// finds the chunk that it read before.
#[derive(Debug, Default)]
pub struct Unpacked {
    recent: [Option<(Arc<Packed>, Arc<Chunk>)>; UNPACKED_CHUNKS],
    /// Which of them is replaced next.
    next: usize,
}

impl Unpacked {
    fn open(&mut self, packed: &Arc<Packed>) -> Arc<Chunk> {
        let mut recent = self.recent.iter().flatten();
        if let Some((_, chunk)) = recent.find(|(of, _)| Arc::ptr_eq(of, packed)) {
            return chunk.clone();
        }
        let place = &mut self.recent[self.next % UNPACKED_CHUNKS];
        self.next = (self.next + 1) % UNPACKED_CHUNKS;
        let spare = place.take().map(|(_, chunk)| chunk);
        let chunk = packed.open(spare);
        *place = Some((packed.clone(), chunk.clone()));
        chunk
    }
}

impl<'e> Opened<'e> {
    /// Returns whether it is plain and larger than a chunk of several entries can be, so that a
    /// reply refers to it.
    #[inline]
    pub(crate) fn is_lent_large(&self) -> bool {
        matches!(self, Opened::Lent(chunk) if chunk.data().len() > CHUNK_BYTES_MAX)
    }

    /// The chunk, for keeping, if that takes no more memory than it takes anyway.
    pub(crate) fn lent(&self) -> Option<ArcBorrow<'e, Chunk>> {
        match self {
            Opened::Lent(chunk) => Some(*chunk),
            Opened::Own(_) => None,
        }
    }

    /// What can be given to the next [`Stored::open`].
    #[inline]
    pub(crate) fn into_spare(self) -> Option<Arc<Chunk>> {
        match self {
            Opened::Lent(_) => None,
            Opened::Own(chunk) => Some(chunk),
        }
    }
}

impl Deref for Opened<'_> {
    type Target = Chunk;

    #[inline]
    fn deref(&self) -> &Chunk {
        match self {
            Opened::Lent(chunk) => chunk,
            Opened::Own(chunk) => chunk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;

    /// A chunk of many entries, packed, whose bytes `damage` has changed.
    fn packed(damage: impl FnOnce(&mut Vec<u8>)) -> Stored {
        let mut chunk = Chunk::new(StreamId::MIN, None, 0);
        let fields = [b"field".as_slice(), b"value"].into_iter();
        for ms in 1.. {
            let id = StreamId { ms, seq: 0 };
            let form = chunk.form(fields.clone());
            let entry_bytes = chunk.entry_bytes(id, form);
            if !chunk.has_room(entry_bytes) {
                break;
            }
            chunk.append(id, fields.clone(), form, entry_bytes, Node::Begins);
        }
        let mut packed = Packed::of(&chunk).unwrap();
        let mut bytes = packed.bytes.into_vec();
        damage(&mut bytes);
        packed.bytes = bytes.into();
        Stored::Packed(Arc::new(packed))
    }

    #[test]
    fn what_was_packed_is_read_and_changed() {
        let mut stored = packed(|_| {});
        assert!(stored.open(None).live() > 100);
        assert!(stored.chunk_mut().live() > 100);
    }

    #[test]
    #[should_panic(expected = "damaged in memory")]
    fn damaged_entries_are_not_read_as_none() {
        packed(|bytes| bytes.truncate(bytes.len() / 2)).open(None);
    }

    #[test]
    #[should_panic(expected = "damaged in memory")]
    fn damaged_entries_are_not_changed_into_none() {
        packed(|bytes| bytes.fill(0xff)).chunk_mut();
    }
}
