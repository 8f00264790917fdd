//! Marks: places in a chunk's data where an entry begins, so that a search walks over a few entries
//! only.
//!
//! A mark knows roughly which ID is there, so that a search reads the marks and not the entries,
//! each of which would be a cache miss.

use smallvec::SmallVec;

use crate::limits::{MARK_BYTES, MARK_ENTRIES_MAX};
use crate::node::Node;

/// The marks of one chunk, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    marks: SmallVec<[Mark; 2]>,
    /// Entries since the last mark, and where that is.
    unmarked_entries: u8,
    last: u16,
}

/// A place in a chunk's data where an entry begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    key: Key,
    offset: u16,
    /// The number of entries before it; the top bit is set where a node begins.
    ordinal_and_node: u16,
}

const NODE_BIT: u16 = 1 << 15;

/// What a mark knows of an ID: it grows with the ID, but neighbours may share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u32);

/// Bits of a key that are the sequence's; the others are milliseconds, enough for an hour.
const SEQ_BITS: u32 = 10;

impl Key {
    /// The key of an ID, given as milliseconds and sequence above a chunk's base.
    #[inline]
    pub(crate) fn new(ms: u64, seq: u64) -> Key {
        if ms >> (u32::BITS - SEQ_BITS) != 0 {
            return Key(u32::MAX);
        }
        let seq = seq.min((1 << SEQ_BITS) - 1);
        Key((ms as u32) << SEQ_BITS | seq as u32)
    }
}

impl Mark {
    /// Returns where the entry begins.
    #[inline]
    pub(crate) fn offset(self) -> usize {
        usize::from(self.offset)
    }

    /// Returns how many entries come before it, dead ones included.
    #[inline]
    pub(crate) fn ordinal(self) -> u16 {
        self.ordinal_and_node & !NODE_BIT
    }

    fn begins_node(self) -> bool {
        self.ordinal_and_node & NODE_BIT != 0
    }
}

impl Marks {
    /// Takes note of the next entry and marks it if it is time to, or if a node begins there.
    #[inline]
    pub(crate) fn note(&mut self, at: usize, ordinal: u16, key: impl Fn() -> Key, node: Node) {
        let is_due = usize::from(self.unmarked_entries) >= MARK_ENTRIES_MAX
            || at - usize::from(self.last) >= MARK_BYTES;
        if at == 0 || is_due || node == Node::Begins {
            self.push(at, ordinal, key(), node);
        }
        self.unmarked_entries += 1;
    }

    fn push(&mut self, at: usize, ordinal: u16, key: Key, node: Node) {
        let node_bit = if node == Node::Begins { NODE_BIT } else { 0 };
        self.marks.push(Mark {
            key,
            offset: at as u16,
            ordinal_and_node: ordinal | node_bit,
        });
        self.last = at as u16;
        self.unmarked_entries = 0;
    }

    /// The last mark below an ID with this key. `is_below` says whether the entry at an offset is
    /// below the ID. It is called only if the keys do not tell.
    #[inline]
    pub(crate) fn below(&self, key: Key, is_below: impl Fn(usize) -> bool) -> Option<Mark> {
        self.last_where(|mark| mark.key < key || mark.key == key && is_below(mark.offset()))
    }

    /// The last mark before this offset.
    pub(crate) fn before_offset(&self, at: usize) -> Option<Mark> {
        self.last_where(|mark| mark.offset() < at)
    }

    /// The last mark with at most this many entries before it.
    pub(crate) fn through_ordinal(&self, ordinal: u16) -> Option<Mark> {
        self.last_where(|mark| mark.ordinal() <= ordinal)
    }

    #[inline]
    fn last_where(&self, is_before: impl Fn(Mark) -> bool) -> Option<Mark> {
        let after = self.marks.partition_point(|&mark| is_before(mark));
        after.checked_sub(1).map(|index| self.marks[index])
    }

    /// The marks where nodes begin.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Mark> {
        self.marks.iter().copied().filter(|mark| mark.begins_node())
    }

    /// Lets a node begin with the first entry.
    pub(crate) fn begin_node(&mut self) {
        if let Some(mark) = self.marks.first_mut() {
            mark.ordinal_and_node |= NODE_BIT;
        }
    }

    /// Frees what is reserved: nothing is going to be appended.
    pub(crate) fn seal(&mut self) {
        self.marks.shrink_to_fit();
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.marks.spilled() {
            self.marks.capacity() * size_of::<Mark>()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_ids() {
        let ids = [
            (0, 0),
            (0, 1),
            (0, 1023),
            (0, u64::MAX),
            (1, 0),
            ((1 << 22) - 1, 7),
            ((1 << 22) - 1, u64::MAX),
            (1 << 22, 0),
            (u64::MAX, u64::MAX),
        ];
        for pair in ids.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|(ms, seq)| Key::new(ms, seq));
            assert!(low <= high, "{pair:?}");
        }
        assert!(Key::new(0, 1) < Key::new(0, 2));
        assert!(Key::new(0, u64::MAX) < Key::new(1, 0));
    }
}
