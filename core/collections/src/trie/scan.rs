//! Reading a trie as a whole: its tables one after another, cursors, random draws.

use std::ops::RangeInclusive;

use super::{Bucket, Node, PREFIX_BITS};

/// The bits of a hash that are not part of a cursor.
const SUFFIX_BITS: u32 = u64::BITS - PREFIX_BITS;

/// All tables in the order of their prefixes.
#[derive(Debug)]
pub(crate) struct Tables<'a, B> {
    root: Option<&'a Node<B>>,
    /// The first hash of the next table; `None` after the last one.
    next_hash: Option<u64>,
    last_hash: u64,
}

impl<B> Clone for Tables<'_, B> {
    fn clone(&self) -> Self {
        Tables { ..*self }
    }
}

impl<'a, B: Bucket> Tables<'a, B> {
    pub(crate) fn new(root: Option<&'a Node<B>>) -> Self {
        Tables::within(root, 0..=u64::MAX)
    }

    /// Those that may have hashes of this range.
    pub(crate) fn within(root: Option<&'a Node<B>>, hashes: RangeInclusive<u64>) -> Self {
        Tables {
            root,
            next_hash: Some(*hashes.start()),
            last_hash: *hashes.end(),
        }
    }

    pub(crate) fn next(&mut self) -> Option<&'a B> {
        self.next_with_prefix().map(|(_, table)| table)
    }

    /// The next table, and the first hash that it may have.
    pub(crate) fn next_with_prefix(&mut self) -> Option<(u64, &'a B)> {
        let prefix = self.next_hash.filter(|next| *next <= self.last_hash)?;
        let table = self.root?.table(prefix);
        self.next_hash = first_hash_after(table, prefix);
        Some((prefix, table))
    }
}

/// The first hash behind the range of the table that holds `hash`; `None` for the last table.
fn first_hash_after<B: Bucket>(table: &B, hash: u64) -> Option<u64> {
    let range_bits = u64::BITS - table.depth();
    let last = if range_bits == u64::BITS {
        u64::MAX
    } else {
        hash | ((1 << range_bits) - 1)
    };
    last.checked_add(1)
}

impl<B: Bucket> Node<B> {
    /// One step of a scan: shows tables from `cursor` on until they had about `count` values, and
    /// returns the cursor for the next step, 0 at the end.
    pub(crate) fn scan(&self, cursor: u64, count: usize, mut show: impl FnMut(&B)) -> u64 {
        let mut hash = cursor << SUFFIX_BITS;
        let mut work = 0;
        loop {
            let table = self.table(hash);
            show(table);
            work += table.len().max(1);
            match first_hash_after(table, hash) {
                None => return 0,
                Some(next) if work >= count => return next >> SUFFIX_BITS,
                Some(next) => hash = next,
            }
        }
    }

    /// A table that is not empty, if there is one, drawn by its share of the hashes, and another
    /// random number.
    pub(crate) fn draw(&self, random: u64) -> (&B, u64) {
        let mut node = self;
        let mut random = mix(random);
        loop {
            match node {
                Node::Table(table) => return (table, random),
                Node::Branch(branch) => node = branch.draw_child(random),
            }
            random = mix(random);
        }
    }
}

/// A random number from a random number (the finaliser of SplitMix64).
pub(crate) fn mix(random: u64) -> u64 {
    let z = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
