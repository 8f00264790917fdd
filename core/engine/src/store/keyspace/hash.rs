//! The hash by which keys are found and ordered: SipHash-1-3 with a secret key.
//!
//! Cursors of `SCAN` show clients the upper bits of hashes, and the order in which keys come shows
//! more. So many results of the function for chosen inputs must tell nothing about others.
//! Otherwise a client could make keys with equal hashes, which share one table of any size. Because
//! it takes whole byte strings only, this is faster than a hasher that takes its input in pieces.

use std::cell::Cell;

/// The hashes of keys. It remembers that of the last one, since a command asks for its key's hash
/// when it looks, and again when it applies an effect, and those of requests that were looked at
/// ahead. That only serves speed: if a request asks for another key, its hash is worked out.
#[derive(Debug, Clone)]
pub(crate) struct KeyHashes {
    hasher: KeyHasher,
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
            _ => (last_bytes(bytes, bytes), 0),
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
    pub(crate) const fn new(hasher: KeyHasher) -> KeyHashes {
        KeyHashes {
            hasher,
            last: Cell::new((Name::NONE, 0)),
            ahead: Vec::new(),
            begun: 0,
        }
    }

    /// Works out the hashes of the requests that come next.
    #[inline]
    pub(crate) fn look_ahead<const N: usize>(
        &mut self,
        keys: &[Option<&[u8]>; N],
    ) -> [Option<u64>; N] {
        self.ahead.clear();
        self.ahead.reserve(N);
        self.begun = 0;
        keys.map(|key| {
            let hash = self.hasher.hash(key?);
            let name = key.and_then(Name::of).unwrap_or(Name::NONE);
            self.ahead.push((name, hash));
            Some(hash)
        })
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
    pub(crate) const fn hasher(&self) -> KeyHasher {
        self.hasher
    }

    /// The hash of a key's name.
    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let Some(name) = Name::of(bytes) else {
            return self.hasher.hash(bytes);
        };
        let (known, hash) = self.last.get();
        if known == name {
            return hash;
        }
        let hash = self.hasher.hash(bytes);
        self.last.set((name, hash));
        hash
    }
}

/// The hash of keys under a secret key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHasher {
    key: [u64; 2],
}

impl KeyHasher {
    /// The hash with this key, which must be kept secret from clients.
    pub(crate) const fn new(key: [u64; 2]) -> KeyHasher {
        KeyHasher { key }
    }

    /// The hash of a key's name.
    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let [k0, k1] = self.key;
        let mut state = State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ]);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            state.take(u64::from_le_bytes(*word));
        }
        state.take(last_bytes(bytes, rest) | (bytes.len() as u64) << 56);
        state.finish()
    }
}

/// The bytes after the last whole word, as the lower part of a word.
#[inline]
fn last_bytes(bytes: &[u8], rest: &[u8]) -> u64 {
    match (bytes.last_chunk::<8>(), rest) {
        (_, []) => 0,
        // One load for all, rather than one for each.
        (Some(word), _) => u64::from_le_bytes(*word) >> (64 - 8 * rest.len()),
        (None, _) => short_word(rest),
    }
}

/// Up to seven bytes as the lower part of a word.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // Two loads; where they overlap, they agree.
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

struct State([u64; 4]);

impl State {
    #[inline]
    fn take(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    fn finish(mut self) -> u64 {
        self.0[2] ^= 0xff;
        for _ in 0..3 {
            self.round();
        }
        let [v0, v1, v2, v3] = self.0;
        v0 ^ v1 ^ v2 ^ v3
    }

    #[inline]
    fn round(&mut self) {
        let [v0, v1, v2, v3] = &mut self.0;
        *v0 = v0.wrapping_add(*v1);
        *v2 = v2.wrapping_add(*v3);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v1);
        *v0 = v0.wrapping_add(*v3);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    #[test]
    fn it_is_the_function_of_the_standard_library() {
        let bytes: Vec<u8> = (0..200).map(|n| (n * 37) as u8).collect();
        for len in 0..bytes.len() {
            let bytes = &bytes[..len];
            // That is SipHash-1-3 with a key of zeros.
            let mut theirs = DefaultHasher::new();
            theirs.write(bytes);
            assert_eq!(KeyHasher::new([0, 0]).hash(bytes), theirs.finish(), "{len}");
        }
    }

    #[test]
    fn what_is_remembered_is_what_would_be_worked_out() {
        let hasher = KeyHasher::new([3, 4]);
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
        let hasher = KeyHasher::new([5, 6]);
        let mut hashes = KeyHashes::new(hasher);
        let long = [b'l'; 100];
        let keys: [&[u8]; 4] = [b"one", b"key:000000000002", &long, b""];
        let ahead = hashes.look_ahead(&keys.map(Some));
        assert_eq!(ahead, keys.map(|key| Some(hasher.hash(key))));
        // A hasher with another key: what it gives was not remembered.
        hashes.hasher = KeyHasher::new([7, 8]);
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

    #[test]
    fn every_bit_of_the_key_counts() {
        let plain = KeyHasher::new([1, 2]).hash(b"key:1");
        for bit in 0..64 {
            for key in [[1 ^ (1 << bit), 2], [1, 2 ^ (1 << bit)]] {
                assert_ne!(KeyHasher::new(key).hash(b"key:1"), plain);
            }
        }
    }
}
