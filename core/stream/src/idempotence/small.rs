//! The window of a producer with a few iids: one immutable block, name included.
//!
//! Most producers are small, and a million of them are common, so what counts is bytes. The block
//! holds, for each iid, a record of fixed size, oldest first; then the producer's name; then the
//! iids. A change makes a new block by copying what stays, a few hundred bytes at most.

use triomphe::ThinArc;

use super::limits::{SMALL_BYTES_MAX, SMALL_RECORDS_MAX};
use super::record::{Lifetime, Remembered};
use crate::StreamId;

/// Time of adding, the two parts of the entry ID, the end of the iid.
const RECORD_BYTES: usize = 8 + 8 + 8 + 2;

type Record = [u8; RECORD_BYTES];

/// A window in one block.
#[derive(Clone, Debug)]
pub(super) struct Small(ThinArc<Head, u8>);

#[derive(Clone, Copy, Debug)]
struct Head {
    record_count: u16,
    name_bytes: u16,
}

/// The three parts of a block.
#[derive(Clone, Copy)]
struct Parts<'a> {
    records: &'a [Record],
    name: &'a [u8],
    iids: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Returns where the iid of that place ends, and so the next one begins. (Place -1 is before
    /// the first.)
    #[inline]
    fn end(&self, place: usize) -> usize {
        self.records.get(place).map_or(0, end_of)
    }

    #[inline]
    fn get(&self, place: usize) -> Option<Remembered<'a>> {
        let record = self.records.get(place)?;
        let iid = self
            .iids
            .get(self.end(place.wrapping_sub(1))..end_of(record))?;
        let id = StreamId::new(number_at(record, 8), number_at(record, 16));
        Some(Remembered {
            iid,
            id,
            added_at_ms: number_at(record, 0),
        })
    }
}

#[inline]
fn number_at(record: &Record, at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[at..at + 8]);
    u64::from_le_bytes(bytes)
}

#[inline]
fn end_of(record: &Record) -> usize {
    usize::from(u16::from_le_bytes([record[24], record[25]]))
}

/// A record whose iid ends at `end`, which is within [`SMALL_BYTES_MAX`].
#[inline]
fn record_bytes(record: Remembered<'_>, end: usize) -> Record {
    let mut bytes = [0; RECORD_BYTES];
    bytes[..8].copy_from_slice(&record.added_at_ms.to_le_bytes());
    bytes[8..16].copy_from_slice(&record.id.ms.to_le_bytes());
    bytes[16..24].copy_from_slice(&record.id.seq.to_le_bytes());
    bytes[24..].copy_from_slice(&(end as u16).to_le_bytes());
    bytes
}

/// A block that is being written, on the stack.
struct Draft {
    bytes: [u8; SMALL_BYTES_MAX],
    len: usize,
}

impl Draft {
    fn new() -> Draft {
        Draft {
            bytes: [0; SMALL_BYTES_MAX],
            len: 0,
        }
    }

    /// Appends what [`fits`] has allowed.
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn finish(&self, record_count: usize, name_bytes: usize) -> Small {
        let head = Head {
            record_count: record_count as u16,
            name_bytes: name_bytes as u16,
        };
        Small(ThinArc::from_header_and_slice(
            head,
            &self.bytes[..self.len],
        ))
    }
}

impl Small {
    /// A block of that producer with these iids, oldest first; `None` if they are too many or too
    /// long for one.
    pub(super) fn new<'a>(
        name: &[u8],
        records: impl Iterator<Item = Remembered<'a>> + Clone,
    ) -> Option<Small> {
        let mut draft = Draft::new();
        let mut record_count = 0;
        let mut end = 0;
        if !fits(record_count, name.len()) {
            return None;
        }
        for record in records.clone() {
            end += record.iid.len();
            record_count += 1;
            if !fits(record_count, name.len() + end) {
                return None;
            }
            draft.push(&record_bytes(record, end));
        }
        draft.push(name);
        records.for_each(|record| draft.push(record.iid));
        Some(draft.finish(record_count, name.len()))
    }

    /// This window without its `dropped` oldest iids and with one more; `None` as for `new`.
    pub(super) fn with(&self, dropped: usize, record: Remembered<'_>) -> Option<Small> {
        let Parts {
            records,
            name,
            iids,
        } = self.parts();
        let cut = self.parts().end(dropped.wrapping_sub(1));
        let (records, iids) = (records.get(dropped..)?, iids.get(cut..)?);
        let record_count = records.len() + 1;
        let end = iids.len() + record.iid.len();
        if !fits(record_count, name.len() + end) {
            return None;
        }
        let mut draft = Draft::new();
        draft.push(records.as_flattened());
        if cut > 0 {
            let (copies, _) = draft.bytes[..draft.len].as_chunks_mut::<RECORD_BYTES>();
            for copy in copies {
                let end = end_of(copy) - cut;
                copy[24..].copy_from_slice(&(end as u16).to_le_bytes());
            }
        }
        draft.push(&record_bytes(record, end));
        draft.push(name);
        draft.push(iids);
        draft.push(record.iid);
        Some(draft.finish(record_count, name.len()))
    }

    #[inline]
    fn parts(&self) -> Parts<'_> {
        let Head { name_bytes, .. } = self.0.header.header;
        let (records, rest) = self.0.slice.split_at(self.len() * RECORD_BYTES);
        let (name, iids) = rest.split_at(usize::from(name_bytes));
        Parts {
            records: records.as_chunks().0,
            name,
            iids,
        }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.0.header.header.record_count)
    }

    /// Returns how many bytes of memory the block takes.
    pub(super) fn allocated_bytes(&self) -> usize {
        // The reference count, the head and the length come first.
        3 * size_of::<usize>() + self.0.slice.len()
    }

    #[inline]
    pub(super) fn name(&self) -> &[u8] {
        self.parts().name
    }

    /// The youngest.
    pub(super) fn last(&self) -> Option<Remembered<'_>> {
        self.parts().get(self.len().wrapping_sub(1))
    }

    /// When the youngest was added.
    #[inline]
    pub(super) fn newest_at_ms(&self) -> u64 {
        self.parts()
            .records
            .last()
            .map_or(0, |record| number_at(record, 0))
    }

    /// Returns how many of the oldest have expired by then.
    #[inline]
    pub(super) fn expired_len(&self, lifetime: Lifetime) -> usize {
        let is_over = |record: &&Record| lifetime.is_over(number_at(record, 0));
        self.parts().records.iter().take_while(is_over).count()
    }

    /// Finds an iid and its place, the oldest being at 0.
    #[inline]
    pub(super) fn find(&self, iid: &[u8]) -> Option<(usize, Remembered<'_>)> {
        let parts = self.parts();
        let mut start = 0;
        let place = parts.records.iter().position(|record| {
            let found = parts.iids.get(start..end_of(record)) == Some(iid);
            start = end_of(record);
            found
        })?;
        Some((place, parts.get(place)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Remembered<'_>> + Clone {
        let parts = self.parts();
        (0..parts.records.len()).filter_map(move |place| parts.get(place))
    }
}

/// Returns whether this many iids, and this many bytes of them and the name, go into a block.
fn fits(record_count: usize, bytes: usize) -> bool {
    record_count <= SMALL_RECORDS_MAX && record_count * RECORD_BYTES + bytes <= SMALL_BYTES_MAX
}
