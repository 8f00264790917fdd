//! Reading a directory as a whole: iteration, cursors, random draws.

use hashbrown::hash_table;

use super::Directory;
use super::branch::Node;
use super::limits::PREFIX_BITS;
use super::table::Table;

/// The bits of a hash that are not part of a cursor.
const SUFFIX_BITS: u32 = u64::BITS - PREFIX_BITS;

/// Hashes from one table to the next: all values in prefix order.
#[derive(Debug)]
pub struct Iter<'a, T> {
    root: Option<&'a Node<T>>,
    /// The first hash of the next table; `None` after the last one.
    next_hash: Option<u64>,
    table: Option<hash_table::Iter<'a, T>>,
    remaining: usize,
}

impl<'a, T> Iter<'a, T> {
    pub(crate) fn new(directory: &'a Directory<T>) -> Self {
        Iter {
            root: directory.root.as_ref(),
            next_hash: Some(0),
            table: None,
            remaining: directory.len(),
        }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(value) = self.table.as_mut().and_then(Iterator::next) {
                self.remaining -= 1;
                return Some(value);
            }
            let table = self.root?.table(self.next_hash?);
            self.next_hash = first_hash_after(table, self.next_hash?);
            self.table = Some(table.iter());
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

/// The first hash behind the range of the table that holds `hash`; `None` for the last table.
fn first_hash_after<T>(table: &Table<T>, hash: u64) -> Option<u64> {
    let range_bits = u64::BITS - table.depth();
    let last = if range_bits == u64::BITS {
        u64::MAX
    } else {
        hash | ((1 << range_bits) - 1)
    };
    last.checked_add(1)
}

impl<T> Directory<T> {
    /// One step of a scan: shows whole tables from `cursor` on until about `count` values were
    /// shown, and returns the cursor for the next step, 0 at the end. A scan starts at 0; any
    /// number is a valid cursor (above `2^48` its low 48 bits count).
    ///
    /// A value that is there from the start of a scan to its end is shown, however the directory
    /// grows or shrinks meanwhile; one that came or went may be shown or not; and one may be shown
    /// twice. A step looks at `count` tables at most, and at one at least.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(&T)) -> u64 {
        let Some(root) = &self.root else { return 0 };
        let mut hash = cursor << SUFFIX_BITS;
        let mut work = 0;
        loop {
            let table = root.table(hash);
            table.iter().for_each(&mut f);
            work += table.len().max(1);
            match first_hash_after(table, hash) {
                None => return 0,
                Some(next) if work >= count => return next >> SUFFIX_BITS,
                Some(next) => hash = next,
            }
        }
    }

    /// Some value, chosen by a random number; `None` only if there is none. The choice is about
    /// fair if the hashes are spread evenly, since a table is chosen by its share of the hashes.
    pub fn random(&self, random: u64) -> Option<&T> {
        let mut node = self.root.as_ref()?;
        let mut random = mix(random);
        loop {
            match node {
                Node::Table(table) => return table.random(random),
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
