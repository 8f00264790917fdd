//! The content of a file: what a reader sees, what is durable, and what a power cut leaves of the
//! rest.

use crate::rng::Rng;

#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// What was done since the last sync.
    pub(super) pending: Vec<Change>,
}

#[derive(Clone)]
pub(super) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// What reaches the medium in one piece.
const SECTOR_BYTES: usize = 512;

impl Inode {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    /// Decides what becomes durable of the changes since the last sync.
    pub(super) fn settle(&mut self, rng: &mut Rng) {
        let changes = std::mem::take(&mut self.pending);
        let kept = match rng.below(4) {
            0 => 0,
            1 => changes.len(),
            _ => rng.index(changes.len() + 1),
        };
        let by_sector = rng.once_in(2);
        let mut size_is_certain = true;
        for (index, change) in changes.into_iter().enumerate() {
            match change {
                Change::Truncate(size) if index < kept => {
                    Change::Truncate(size).apply(&mut self.durable);
                }
                // What comes after a lost truncation cannot be told apart from what it should have
                // cut.
                Change::Truncate(_) => break,
                Change::Write { at, bytes } if index < kept => {
                    let torn = index + 1 == kept && rng.once_in(2);
                    let len = if torn {
                        rng.index(bytes.len() + 1)
                    } else {
                        bytes.len()
                    };
                    if by_sector {
                        self.keep_sectors(at, &bytes[..len], rng);
                    } else {
                        Change::Write {
                            at,
                            bytes: bytes[..len].to_vec(),
                        }
                        .apply(&mut self.durable);
                    }
                }
                // Sectors that exist already may be written early.
                Change::Write { at, bytes } if by_sector && size_is_certain => {
                    let inside = self.durable.len().saturating_sub(at).min(bytes.len());
                    self.keep_sectors(at, &bytes[..inside], rng);
                    size_is_certain = inside == bytes.len();
                }
                Change::Write { .. } => {}
            }
        }
    }

    fn keep_sectors(&mut self, mut at: usize, mut bytes: &[u8], rng: &mut Rng) {
        while !bytes.is_empty() {
            let len = (SECTOR_BYTES - at % SECTOR_BYTES).min(bytes.len());
            let (sector, rest) = bytes.split_at(len);
            if rng.once_in(2) {
                Change::Write {
                    at,
                    bytes: sector.to_vec(),
                }
                .apply(&mut self.durable);
            } else if self.durable.len() < at + len && rng.once_in(2) {
                // The size was written, the bytes were not.
                self.durable.resize(at + len, 0);
            }
            at += len;
            bytes = rest;
        }
    }
}

impl Change {
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Change::Truncate(size) => content.truncate(*size),
        }
    }
}
