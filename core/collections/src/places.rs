//! Which entries of a map have come before, told apart by their places.

use hashbrown::HashTable;

use crate::trie::mix;

/// A place, as [`crate::map::Entry::place`] gives it: a page, and where in it.
type Place = (usize, usize);

/// Places of entries, each once. Unlike names they are compared in no time, and a client cannot
/// choose them.
#[derive(Debug, Default)]
pub struct Places {
    marks: HashTable<Marks>,
    len: usize,
}

/// Some places of a page. Those of a million entries are in few of these, which a processor has in
/// its caches.
#[derive(Clone, Copy, Debug)]
struct Marks {
    page: usize,
    /// The places are from here on, times [`MARKS`].
    group: usize,
    /// A bit for each that is here.
    bits: u64,
}

/// How many places are in one piece.
const MARKS: usize = u64::BITS as usize;

impl Places {
    /// Returns whether a place is here.
    pub fn contains(&self, (page, at): Place) -> bool {
        let (group, bit) = (at / MARKS, 1 << (at % MARKS));
        let found = self
            .marks
            .find(hash(page, group), |it| it.are_of(page, group));
        found.is_some_and(|marks| marks.bits & bit != 0)
    }

    /// Puts a place in; returns whether it is new.
    pub fn insert(&mut self, (page, at): Place) -> bool {
        let (group, bit) = (at / MARKS, 1 << (at % MARKS));
        let hash_of = |it: &Marks| hash(it.page, it.group);
        let found = self
            .marks
            .find_mut(hash(page, group), |it| it.are_of(page, group));
        let is_new = match found {
            Some(marks) => {
                let is_new = marks.bits & bit == 0;
                marks.bits |= bit;
                is_new
            }
            None => {
                let bits = bit;
                let marks = Marks { page, group, bits };
                self.marks.insert_unique(hash(page, group), marks, hash_of);
                true
            }
        };
        self.len += usize::from(is_new);
        is_new
    }

    /// The number of places.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Marks {
    fn are_of(&self, page: usize, group: usize) -> bool {
        (self.page, self.group) == (page, group)
    }
}

fn hash(page: usize, group: usize) -> u64 {
    mix(mix(page as u64) ^ group as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_comes_once() {
        let places = (0..100_000).map(|n| (n / 32 * 4096, n % 32 * 2));
        let mut seen = Places::default();
        for place in places.clone() {
            assert!(!seen.contains(place));
            assert!(seen.insert(place));
        }
        for place in places {
            assert!(seen.contains(place));
            assert!(!seen.insert(place));
        }
        assert_eq!(seen.len(), 100_000);
        assert!(!seen.contains((1, 0)) && !seen.is_empty());
    }
}
