//! Pending entries that were given back with a pause.

use stream::{Stream, StreamId};

use super::{Damaged, Differs, Field, Sparse};
use crate::encode::{Encoder, push_number};
use crate::source::Sink;
use crate::stream::{id_bytes, read_raw_id};

/// The name of the auxiliary field.
pub(super) const NAME: &[u8] = b"weir-pel-pauses";

/// Which pending entries have a pause.
pub(in crate::stream) struct PendingPauses<'a> {
    differing: Sparse<'a>,
}

impl<'a> PendingPauses<'a> {
    pub(super) fn new(content: &'a [u8]) -> PendingPauses<'a> {
        PendingPauses {
            differing: Sparse::new(content),
        }
    }

    /// Those of the next group, and until when they have it.
    pub(in crate::stream) fn next(&mut self) -> Result<Vec<(StreamId, u64)>, Damaged> {
        let mut paused = Vec::new();
        if self.differing.next()? == Differs::Yes {
            for _ in 0..self.differing.number()? {
                let id = read_raw_id(&mut self.differing.from, "a pending entry");
                let id = id.map_err(|_| Damaged::Foreign)?;
                paused.push((id, self.differing.number()?));
            }
        }
        Ok(paused)
    }
}

/// Writes those of all groups.
pub(super) fn write<K: Sink>(stream: &Stream, out: &mut Encoder<K>) -> Result<(), K::Error> {
    let mut field = Field::new(NAME);
    for (_, group) in stream.groups().iter() {
        let count = group.paused().count();
        if field.differs(count != 0) {
            push_number(&mut field.content, count as u64);
            for (id, until_ms) in group.paused() {
                field.content.extend_from_slice(&id_bytes(id));
                push_number(&mut field.content, until_ms);
                field.drain(out)?;
            }
        }
    }
    field.flush(out)
}
