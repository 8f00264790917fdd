//! What a log has been so far, in 32 bytes.
//!
//! Each record carries the chain of the valid record before it, and the SHA-256 of a whole record
//! is the chain after it. So two logs with the same chain are the same up to there, valid record by
//! valid record: one that is missing, damaged or from another history shows at the next one. What
//! clients write is part of the chain, so the hash is one for which nobody can make two texts that
//! agree.

use std::fmt;

use sha2::{Digest, Sha256};

/// The hash of a valid record, and through it of all valid records before; all zeros before the
/// first.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Chain([u8; Chain::BYTES]);

impl Chain {
    /// How long a chain is, in bytes.
    pub const BYTES: usize = 32;

    /// Before the first record.
    pub const START: Chain = Chain([0; Chain::BYTES]);

    /// The chain after this encoded record.
    pub fn after(record: &[u8]) -> Chain {
        Chain(Sha256::digest(record).into())
    }

    /// The bytes, as a record or a snapshot carries them.
    pub fn as_bytes(&self) -> &[u8; Chain::BYTES] {
        &self.0
    }

    /// The chain of these bytes.
    pub fn from_bytes(bytes: [u8; Chain::BYTES]) -> Chain {
        Chain(bytes)
    }
}

/// The first eight bytes in hexadecimal digits: enough to compare by eye.
impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
