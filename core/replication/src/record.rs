//! A record: a header of fixed length, and a body.
//!
//! The header says who wrote it, where in the sequence of batches it belongs, and what came before
//! it in the log; a checksum covers all of it. `record.md` has the table. Decoding believes
//! nothing: lengths are compared with what is there, and no memory is reserved.

use batch::Lsn;
use crc_fast::{CrcAlgorithm, Digest};

use crate::chain::Chain;
use crate::limits::{BODY_BYTES_MAX, GREETING_BYTES_MAX, PARTS_MAX};
use crate::place::{Epoch, NodeId, Seq};

/// How long a header is, in bytes.
const HEADER_BYTES: usize = CRC_AT + 4;

const MAGIC: [u8; 4] = *b"WEIR";
const VERSION: u8 = 1;
const BODY_BYTES_AT: usize = 88;
const CRC_AT: usize = 92;

const _: () = assert!(
    BODY_BYTES_MAX + HEADER_BYTES == 64 << 20,
    "one message of the service"
);

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first of an epoch.
    Epoch,
    /// A group of batches, or the part of one.
    Batch {
        /// The first batch of the group.
        first: Lsn,
        /// Which part it is, from 0.
        part: u32,
        /// How many parts the group has.
        parts: u32,
    },
    /// A sign of life.
    Beat,
    /// The leader has ended its lease, for this node to lead.
    HandOver {
        /// The node that may lead at once.
        to: NodeId,
    },
}

/// A record as it was read, or is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// Under which epoch it was written.
    pub epoch: Epoch,
    /// The last batch of a group; the last batch before any other record.
    pub last: Lsn,
    /// The chain before it.
    pub prev: Chain,
    /// Up to where the writer knew that the log had all that it sent, when it sent this.
    pub acked: Seq,
    /// A piece of a group, or what a new leader says of itself.
    pub body: &'a [u8],
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than a header.
    #[error("{bytes} bytes are less than a header")]
    Short {
        /// How many there are.
        bytes: usize,
    },
    /// Something else, or the record of a later weir.
    #[error("it is not a record of version {VERSION}")]
    Foreign,
    /// The length does not agree with what is there.
    #[error("the body should have {announced} bytes and has {bytes}")]
    Length {
        /// What the header says.
        announced: u32,
        /// What is there.
        bytes: usize,
    },
    /// Bytes are not what was written.
    #[error("the checksum is {found:08x} and not {announced:08x}")]
    Checksum {
        /// What the header says.
        announced: u32,
        /// What the bytes give.
        found: u32,
    },
    /// The checksum is right, and the field at this offset cannot be.
    #[error("the field at offset {offset} is impossible")]
    Field {
        /// Where it begins.
        offset: usize,
    },
}

impl<'a> Record<'a> {
    /// Reads a record; all of the bytes are one.
    ///
    /// # Errors
    /// [`DecodeError`]
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>, DecodeError> {
        let short = DecodeError::Short { bytes: bytes.len() };
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(short)?;
        let header = Fields(header);
        if header.array(0) != MAGIC || header.array(4) != [VERSION] {
            return Err(DecodeError::Foreign);
        }
        let announced = header.u32(BODY_BYTES_AT);
        if announced as usize != body.len() {
            let bytes = body.len();
            return Err(DecodeError::Length { announced, bytes });
        }
        let (announced, found) = (header.u32(CRC_AT), checksum(bytes));
        if announced != found {
            return Err(DecodeError::Checksum { announced, found });
        }
        let field = |is_good: bool, offset| match is_good {
            true => Ok(()),
            false => Err(DecodeError::Field { offset }),
        };
        let [kind] = header.array(5);
        let (part, parts) = (header.u32(8), header.u32(12));
        let (first, last) = (Lsn::new(header.u64(32)), Lsn::new(header.u64(40)));
        let epoch = Epoch {
            number: header.u64(16),
            nonce: header.u64(24),
        };
        field(header.array(6) == [0, 0], 6)?;
        field(epoch.number > 0, 16)?;
        field(last <= Lsn::MAX, 40)?;
        field(body.len() <= BODY_BYTES_MAX, BODY_BYTES_AT)?;
        let kind = match kind {
            2 => {
                field(parts <= PARTS_MAX && part < parts, 8)?;
                field(Lsn::ZERO < first && first <= last, 32)?;
                Kind::Batch { first, part, parts }
            }
            1 | 3 | 4 => {
                field(part == 0 && parts == 1, 8)?;
                field(first == last, 32)?;
                match (kind, <[u8; 8]>::try_from(body)) {
                    (1, _) if body.len() <= GREETING_BYTES_MAX => Kind::Epoch,
                    (3, _) if body.is_empty() => Kind::Beat,
                    (4, Ok(to)) => Kind::HandOver {
                        to: NodeId(u64::from_le_bytes(to)),
                    },
                    _ => {
                        let offset = BODY_BYTES_AT;
                        return Err(DecodeError::Field { offset });
                    }
                }
            }
            _ => return Err(DecodeError::Field { offset: 5 }),
        };
        Ok(Record {
            kind,
            epoch,
            last,
            prev: Chain::from_bytes(header.array(48)),
            acked: Seq(header.u64(80)),
            body,
        })
    }

    /// The record as bytes. A record that hands over brings its own body.
    pub fn encode(&self) -> Vec<u8> {
        match self.kind {
            Kind::HandOver { to } => self.encode_with([&to.0.to_le_bytes()[..]].into_iter()),
            Kind::Epoch | Kind::Batch { .. } | Kind::Beat => {
                self.encode_with([self.body].into_iter())
            }
        }
    }

    /// The record as bytes, with a body that is in pieces. They are at most [`BODY_BYTES_MAX`]
    /// bytes together, which is not checked here.
    pub(crate) fn encode_with<'b>(&self, body: impl Iterator<Item = &'b [u8]> + Clone) -> Vec<u8> {
        let body_bytes: usize = body.clone().map(<[u8]>::len).sum();
        let (kind, first, part, parts) = match self.kind {
            Kind::Epoch => (1, self.last, 0, 1),
            Kind::Batch { first, part, parts } => (2, first, part, parts),
            Kind::Beat => (3, self.last, 0, 1),
            Kind::HandOver { .. } => (4, self.last, 0, 1),
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body_bytes);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, kind, 0, 0]);
        bytes.extend(u32::to_le_bytes(part));
        bytes.extend(u32::to_le_bytes(parts));
        bytes.extend(self.epoch.number.to_le_bytes());
        bytes.extend(self.epoch.nonce.to_le_bytes());
        bytes.extend(Lsn::number(first).to_le_bytes());
        bytes.extend(self.last.number().to_le_bytes());
        bytes.extend(self.prev.as_bytes());
        bytes.extend(self.acked.0.to_le_bytes());
        bytes.extend(u32::try_from(body_bytes).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend([0; 4]);
        body.for_each(|piece| bytes.extend_from_slice(piece));
        let crc = checksum(&bytes).to_le_bytes();
        if let Some(place) = bytes.get_mut(CRC_AT..HEADER_BYTES) {
            place.copy_from_slice(&crc);
        }
        bytes
    }
}

/// Fields of a header, by offset. Offsets are constants of this file.
struct Fields<'a>(&'a [u8; HEADER_BYTES]);

impl Fields<'_> {
    fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        std::array::from_fn(|at| self.0[offset + at])
    }

    fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.array(offset))
    }
}

/// The CRC32C of everything but its own place.
fn checksum(record: &[u8]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(record.get(..CRC_AT).unwrap_or_default());
    digest.update(record.get(HEADER_BYTES..).unwrap_or_default());
    // A CRC of 32 bits in the low half.
    u32::try_from(digest.finalize()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
