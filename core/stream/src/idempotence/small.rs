//! The window of a producer with a few iids: one immutable block, name included.
//!
//! Most producers are small, and a million of them are common, so what counts is bytes. The block
//! is: for each iid a record of fixed size, oldest first; the producer's name; the iids. A change
//! makes a new block, which costs no more than the table entry around it.

use smallvec::SmallVec;
use triomphe::ThinArc;

use super::limits::{SMALL_BYTES_MAX, SMALL_RECORDS_MAX};
use super::record::Remembered;
use crate::StreamId;

/// Time of adding, the two parts of the entry ID, the end of the iid.
const RECORD_BYTES: usize = 8 + 8 + 8 + 2;

/// A window in one block.
#[derive(Clone, Debug)]
pub(super) struct Small(ThinArc<Head, u8>);

#[derive(Clone, Copy, Debug)]
struct Head {
    record_count: u16,
    name_bytes: u16,
}

impl Small {
    /// A block of that producer with these iids, oldest first; `None` if they are too many or too
    /// long for one.
    pub(super) fn new<'a>(
        name: &[u8],
        records: impl Iterator<Item = Remembered<'a>> + Clone,
    ) -> Option<Small> {
        let mut block: SmallVec<[u8; SMALL_BYTES_MAX]> = SmallVec::new();
        let mut record_count = 0_u16;
        let mut iids_bytes = 0_usize;
        for record in records.clone() {
            iids_bytes += record.iid.len();
            record_count += 1;
            let bytes = usize::from(record_count) * RECORD_BYTES + name.len() + iids_bytes;
            if usize::from(record_count) > SMALL_RECORDS_MAX || bytes > SMALL_BYTES_MAX {
                return None;
            }
            block.extend_from_slice(&record.added_at_ms.to_le_bytes());
            block.extend_from_slice(&record.id.ms.to_le_bytes());
            block.extend_from_slice(&record.id.seq.to_le_bytes());
            block.extend_from_slice(&(iids_bytes as u16).to_le_bytes());
        }
        block.extend_from_slice(name);
        for record in records {
            block.extend_from_slice(record.iid);
        }
        let head = Head {
            record_count,
            name_bytes: name.len() as u16,
        };
        Some(Small(ThinArc::from_header_and_slice(head, &block)))
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.0.header.header.record_count)
    }

    /// How many bytes of memory the block takes.
    pub(super) fn allocated_bytes(&self) -> usize {
        // The reference count, the head and the length stand in front.
        3 * size_of::<usize>() + self.0.slice.len()
    }

    pub(super) fn name(&self) -> &[u8] {
        let start = self.len() * RECORD_BYTES;
        let end = start + usize::from(self.0.header.header.name_bytes);
        self.0.slice.get(start..end).unwrap_or_default()
    }

    /// The iid at that place, the oldest being at 0.
    pub(super) fn get(&self, index: usize) -> Option<Remembered<'_>> {
        let (records, rest) = self.0.slice.split_at_checked(self.len() * RECORD_BYTES)?;
        let (records, []) = records.as_chunks::<RECORD_BYTES>() else {
            return None;
        };
        let record = records.get(index)?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&record[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        let end_of =
            |record: &[u8; RECORD_BYTES]| usize::from(u16::from_le_bytes([record[24], record[25]]));
        let iids = rest.get(usize::from(self.0.header.header.name_bytes)..)?;
        let start = index
            .checked_sub(1)
            .and_then(|before| records.get(before))
            .map_or(0, end_of);
        Some(Remembered {
            iid: iids.get(start..end_of(record))?,
            id: StreamId::new(number(8), number(16)),
            added_at_ms: number(0),
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Remembered<'_>> + Clone {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}
