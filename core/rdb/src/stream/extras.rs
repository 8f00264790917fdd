//! What weir knows of a stream beyond what Redis' format can hold.
//!
//! A snapshot tells it in auxiliary fields before the key, which Redis skips. Each is left out if
//! it has nothing to say, which is nearly always the case. A long one continues in further fields
//! of the same name.
//!
//! | name | content |
//! |---|---|
//! | `weir-idmp-times` | per remembered id whose entry was not added at the time in its ID: how many ids lie between it and the one before (number), and by how many milliseconds the time of the addition is ahead (number; twice that, or twice that less one where it is behind) |
//! | `weir-pel-order` | per group with pending entries that came after one of the same delivery time and a greater ID: how many groups lie between it and the one before, how many such entries there are (numbers), and their IDs (16 bytes each) in the order in which they came |
//!
//! Ids count in the order in which the value has them, groups too. A payload of `DUMP` has no room
//! for this: there an id was added at the time in its entry's ID or at the time of the `RESTORE`,
//! whichever is earlier, and pending entries of one delivery time are in the order of their IDs.

use stream::{Stream, StreamId};

use super::{id_bytes, read_raw_id};
use crate::code;
use crate::decode::{Decoder, Summed};
use crate::encode::{Encoder, push_number};
use crate::error::Fault;
use crate::limits::PIECE_BYTES;
use crate::source::Sink;

const ADDED_TIMES: &[u8] = b"weir-idmp-times";
const PENDING_ORDER: &[u8] = b"weir-pel-order";

/// What was said about a stream that comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    added_times: Vec<u8>,
    pending_order: Vec<u8>,
}

/// What became of an auxiliary field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    No,
}

impl Extras {
    /// Takes an auxiliary field in, if it is one of these.
    pub(crate) fn take(&mut self, name: &[u8], content: &[u8]) -> Taken {
        let so_far = match name {
            ADDED_TIMES => &mut self.added_times,
            PENDING_ORDER => &mut self.pending_order,
            _ => return Taken::No,
        };
        so_far.extend_from_slice(content);
        Taken::Yes
    }

    /// When entries were added, told for one remembered id after the other.
    pub(super) fn added_times(&self) -> AddedTimes<'_> {
        AddedTimes {
            differing: Sparse::new(&self.added_times),
        }
    }

    /// In which order pending entries came, told for one group after the other.
    pub(super) fn pending_order(&self) -> PendingOrder<'_> {
        PendingOrder {
            differing: Sparse::new(&self.pending_order),
        }
    }
}

/// A field is not what weir writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

impl From<Damaged> for Fault {
    fn from(Damaged: Damaged) -> Fault {
        Fault::Contradiction("an auxiliary field of weir does not belong to the stream behind it")
    }
}

/// When entries were added.
pub(super) struct AddedTimes<'a> {
    differing: Sparse<'a>,
}

impl AddedTimes<'_> {
    /// When the entry of the next remembered id was added, in milliseconds since the epoch.
    pub(super) fn next(&mut self, id: StreamId) -> Result<u64, Damaged> {
        match self.differing.next()? {
            Differs::No => Ok(id.ms),
            Differs::Yes => {
                let number = self.differing.number()?;
                let ahead_ms = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                Ok(id.ms.wrapping_add_signed(ahead_ms))
            }
        }
    }
}

/// In which order pending entries came.
pub(super) struct PendingOrder<'a> {
    differing: Sparse<'a>,
}

impl PendingOrder<'_> {
    /// The latecomers of the next group.
    pub(super) fn next(&mut self) -> Result<Vec<StreamId>, Damaged> {
        let mut latecomers = Vec::new();
        if self.differing.next()? == Differs::Yes {
            for _ in 0..self.differing.number()? {
                let id = read_raw_id(&mut self.differing.from, "a pending entry");
                latecomers.push(id.map_err(|_| Damaged)?);
            }
        }
        Ok(latecomers)
    }
}

/// Says which members of a row differ from the usual, by the gaps between them.
struct Sparse<'a> {
    from: Decoder<&'a [u8]>,
    /// How many usual ones come before the next; `None` if that must be read first.
    gap: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Differs {
    No,
    Yes,
}

impl<'a> Sparse<'a> {
    fn new(content: &'a [u8]) -> Sparse<'a> {
        Sparse {
            from: Decoder::new(content, Summed::Already),
            gap: None,
        }
    }

    fn next(&mut self) -> Result<Differs, Damaged> {
        let gap = match self.gap {
            Some(gap) => gap,
            None if self.from.is_at_end().unwrap_or(true) => u64::MAX,
            None => self.number()?,
        };
        self.gap = gap.checked_sub(1);
        Ok(if gap == 0 { Differs::Yes } else { Differs::No })
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        self.from.number("a number").map_err(|_| Damaged)
    }
}

/// Writes what must be said before a stream.
pub(crate) fn write<K: Sink>(stream: &Stream, out: &mut Encoder<K>) -> Result<(), K::Error> {
    let mut field = Field {
        name: ADDED_TIMES,
        content: Vec::new(),
        gap: 0,
    };
    for producer in stream.idempotence().producers(0) {
        producer.for_each(|record| {
            let ahead_ms = record.added_at_ms.wrapping_sub(record.id.ms).cast_signed();
            if field.differs(ahead_ms != 0) {
                let number = (ahead_ms << 1) ^ (ahead_ms >> 63);
                push_number(&mut field.content, number.cast_unsigned());
            }
        });
        field.drain(out)?;
    }
    field.flush(out)?;

    let mut field = Field {
        name: PENDING_ORDER,
        content: Vec::new(),
        gap: 0,
    };
    for (_, group) in stream.groups().iter() {
        let count = group.latecomers().count();
        if field.differs(count != 0) {
            push_number(&mut field.content, count as u64);
            for id in group.latecomers() {
                field.content.extend_from_slice(&id_bytes(id));
                field.drain(out)?;
            }
        }
    }
    field.flush(out)
}

/// An auxiliary field that is being written.
struct Field {
    name: &'static [u8],
    content: Vec<u8>,
    gap: u64,
}

impl Field {
    /// Counts the next member of the row; whether it differs.
    fn differs(&mut self, differs: bool) -> bool {
        if differs {
            push_number(&mut self.content, self.gap);
            self.gap = 0;
        } else {
            self.gap += 1;
        }
        differs
    }

    fn drain<K: Sink>(&mut self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.content.len() < PIECE_BYTES {
            return Ok(());
        }
        self.flush(out)
    }

    fn flush<K: Sink>(&mut self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.content.is_empty() {
            return Ok(());
        }
        out.byte(code::AUXILIARY);
        out.string(self.name);
        out.string(&self.content);
        self.content.clear();
        out.drain()
    }
}
