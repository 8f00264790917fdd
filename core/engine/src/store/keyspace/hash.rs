//! The hashes of keys, with those remembered that are asked for again.

use std::cell::Cell;

use collections::hash::{NameHasher, short_word};

/// The hashes of keys. It remembers that of the last one, since a command asks for its key's hash
/// when it looks, and again when it applies an effect, and those of requests that were looked at
/// ahead. That only serves speed: if a request asks for another key, its hash is worked out.
#[derive(Debug, Clone)]
pub(crate) struct KeyHashes {
    hasher: NameHasher,
    last: Cell<(Name, u64)>,
    /// Those of the requests that come next, one for each.
    ahead: Vec<(Name, u64)>,
    /// How many of them have come.
    begun: usize,
}

/// All of a short name: its first, second and last eight bytes, and its length.
#[derive(Debug, Clone, Copy)]
struct Name([u64; 3], usize);

impl PartialEq for Name {
    /// Word by word: compared as a whole, a name that was just made would be written to memory and
    /// read back in one piece before that is there, which takes a dozen cycles.
    #[inline]
    fn eq(&self, other: &Name) -> bool {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        (a ^ x) | (b ^ y) | (c ^ z) | (self.1 ^ other.1) as u64 == 0
    }
}

impl Name {
    /// Stands for none: a name of no bytes has other words.
    const NONE: Name = Name([u64::MAX; 3], 0);

    #[inline]
    fn of(bytes: &[u8]) -> Option<Name> {
        let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (short_word(bytes), 0),
        };
        let second = match bytes.len() {
            ..=16 => 0,
            17..=24 => u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?),
            _ => return None,
        };
        Some(Name([first, second, last], bytes.len()))
    }
}

impl KeyHashes {
    /// The hashes by this function.
    pub(crate) const fn new(hasher: NameHasher) -> KeyHashes {
        KeyHashes {
            hasher,
            last: Cell::new((Name::NONE, 0)),
            ahead: Vec::new(),
            begun: 0,
        }
    }

    /// What was worked out ahead of requests is forgotten.
    #[inline]
    pub(crate) fn forget_ahead(&mut self) {
        self.ahead.clear();
        self.begun = 0;
    }

    /// Works out the hash of the request that comes after those that were looked at ahead.
    #[inline]
    pub(crate) fn look_ahead(&mut self, key: &[u8]) -> u64 {
        let name = Name::of(key).unwrap_or(Name::NONE);
        // Many requests in a row are often about one key.
        let hash = match self.ahead.last() {
            Some((last, hash)) if *last == name && name != Name::NONE => *hash,
            Some(_) | None => self.hasher.hash(key),
        };
        self.ahead.push((name, hash));
        hash
    }

    /// The next request begins.
    #[inline]
    pub(crate) fn begin_request(&mut self) {
        if let Some(known) = self.ahead.get(self.begun) {
            self.last.set(*known);
            self.begun += 1;
        }
    }

    /// The function, without what it remembers.
    #[inline]
    pub(crate) const fn hasher(&self) -> NameHasher {
        self.hasher
    }

    /// The hash of a key's name, if it is that of the last one.
    #[inline]
    pub(crate) fn known(&self, bytes: &[u8]) -> Option<u64> {
        let name = Name::of(bytes)?;
        let (known, hash) = self.last.get();
        (known == name).then_some(hash)
    }

    /// The hash of a key's name.
    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.known(bytes).unwrap_or_else(|| self.work_out(bytes))
    }

    /// Works a hash out, and remembers it if the name is short. Apart, so that a hash that is
    /// remembered costs no more than a comparison.
    #[inline(never)]
    pub(crate) fn work_out(&self, bytes: &[u8]) -> u64 {
        let hash = self.hasher.hash_inline(bytes);
        if let Some(name) = Name::of(bytes) {
            self.last.set((name, hash));
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_worked_out() {
        let hasher = NameHasher::new([3, 4]);
        let hashes = KeyHashes::new(hasher);
        for len in 0..40 {
            let name = vec![b'k'; len];
            for at in 0..len {
                // Names that differ in one place only, zeros at their ends among them.
                for byte in [0, b'x'] {
                    let mut other = name.clone();
                    other[at] = byte;
                    for name in [&name, &other, &other] {
                        assert_eq!(hashes.hash(name), hasher.hash(name), "{name:?}");
                    }
                }
            }
            assert_eq!(hashes.hash(&name), hasher.hash(&name));
        }
    }

    #[test]
    fn what_was_worked_out_ahead_serves_the_request_that_it_was_meant_for() {
        let hasher = NameHasher::new([5, 6]);
        let mut hashes = KeyHashes::new(hasher);
        let long = [b'l'; 100];
        let keys: [&[u8]; 6] = [b"one", b"one", b"key:000000000002", &long, &long[1..], b""];
        hashes.look_ahead(b"forgotten");
        hashes.forget_ahead();
        let ahead = keys.map(|key| hashes.look_ahead(key));
        assert_eq!(ahead, keys.map(|key| hasher.hash(key)));
        // A hasher with another key: what it gives was not remembered.
        hashes.hasher = NameHasher::new([7, 8]);
        for key in keys {
            hashes.begin_request();
            let known = if key.len() <= 24 {
                hasher
            } else {
                hashes.hasher
            };
            assert_eq!(hashes.hash(key), known.hash(key));
            assert_eq!(hashes.hash(b"other"), hashes.hasher.hash(b"other"));
        }
        hashes.begin_request();
        assert_eq!(hashes.hash(b"one"), hashes.hasher.hash(b"one"));
    }
}
