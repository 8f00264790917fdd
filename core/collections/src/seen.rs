//! Names that have come before, each with something that is known of it.

use hashbrown::HashTable;

use crate::hash::{NameHasher, is_same};

/// What is known of names, which are not copied.
#[derive(Debug)]
pub struct Seen<'n, T> {
    names: HashTable<(&'n [u8], T)>,
    hasher: NameHasher,
}

impl<'n, T> Seen<'n, T> {
    /// No names. The key of the hash should be secret.
    pub fn new(hasher: NameHasher) -> Seen<'n, T> {
        let names = HashTable::new();
        Seen { names, hasher }
    }

    /// What is known of a name, if it has come.
    pub fn get(&self, name: &[u8]) -> Option<&T> {
        let hash = self.hasher.hash(name);
        let found = self.names.find(hash, |(one, _)| is_same(one, name));
        found.map(|(_, known)| known)
    }

    /// A name has come; returns what was known of it.
    pub fn insert(&mut self, name: &'n [u8], known: T) -> Option<T> {
        let hasher = self.hasher;
        let hash = hasher.hash(name);
        let found = self.names.find_mut(hash, |(one, _)| is_same(one, name));
        if let Some((_, before)) = found {
            return Some(std::mem::replace(before, known));
        }
        let hash_of = |(one, _): &(&[u8], T)| hasher.hash(one);
        self.names.insert_unique(hash, (name, known), hash_of);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_what_was_said_last() {
        let names: Vec<String> = (0..10_000).map(|n| format!("name {}", n % 6_000)).collect();
        let mut seen = Seen::new(NameHasher::new([1, 2]));
        for (index, name) in names.iter().enumerate() {
            let before = index.checked_sub(6_000);
            assert_eq!(seen.get(name.as_bytes()).copied(), before);
            assert_eq!(seen.insert(name.as_bytes(), index), before);
            assert_eq!(seen.get(name.as_bytes()), Some(&index));
        }
        assert_eq!(seen.get(b"name"), None);
    }
}
