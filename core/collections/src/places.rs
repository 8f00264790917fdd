//! Which entries of a map have come before, told apart by their places.

use hashbrown::HashTable;

use crate::trie::mix;

/// A place, as [`crate::map::Entry::place`] gives it.
type Place = (usize, usize);

/// Places of entries, each once. Unlike names they are compared in no time, and a client cannot
/// choose them.
#[derive(Debug, Default)]
pub struct Places(HashTable<Place>);

impl Places {
    /// Returns whether a place is here.
    pub fn contains(&self, place: Place) -> bool {
        self.0.find(hash(&place), |one| *one == place).is_some()
    }

    /// Puts a place in; returns whether it is new.
    pub fn insert(&mut self, place: Place) -> bool {
        let found = self.0.find(hash(&place), |one| *one == place).is_some();
        if !found {
            self.0.insert_unique(hash(&place), place, hash);
        }
        !found
    }

    /// The number of places.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn hash(&(page, at): &Place) -> u64 {
    mix(mix(page as u64) ^ at as u64)
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
