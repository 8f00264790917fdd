//! What an element does to the registers: its hash names one, and says how high.

use super::REGISTERS;

/// A register and what it is to be raised to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    index: u16,
    rank: u8,
}

/// The seed that everybody who writes this format hashes with.
const SEED: u64 = 0xadc8_3b19;

/// How many bits of a hash name the register.
const INDEX_BITS: u32 = REGISTERS.ilog2();

/// The highest rank: all other bits of the hash are zero.
pub(super) const RANK_MAX: u8 = (u64::BITS - INDEX_BITS + 1) as u8;

impl Register {
    /// What adding an element does.
    pub fn of(element: &[u8]) -> Register {
        let hash = murmur_hash_64a(element, SEED);
        let rest = (hash >> INDEX_BITS) | 1 << (u64::BITS - INDEX_BITS);
        Register {
            index: (hash % REGISTERS as u64) as u16,
            rank: rest.trailing_zeros() as u8 + 1,
        }
    }

    /// A register by its number.
    pub(super) const fn new(index: u16, rank: u8) -> Register {
        Register { index, rank }
    }

    /// The number of the register.
    pub(super) const fn index(self) -> usize {
        self.index as usize
    }

    /// What it is raised to.
    pub(super) const fn rank(self) -> u8 {
        self.rank
    }
}

/// `MurmurHash64A` by Austin Appleby, which is in the public domain.
fn murmur_hash_64a(bytes: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mix = |word: u64| {
        let word = word.wrapping_mul(FACTOR);
        (word ^ (word >> SHIFT)).wrapping_mul(FACTOR)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    for word in words {
        hash = (hash ^ mix(u64::from_le_bytes(*word))).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> SHIFT)).wrapping_mul(FACTOR);
    hash ^ (hash >> SHIFT)
}
