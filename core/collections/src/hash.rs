//! The hash by which names are found and ordered: SipHash-1-3 with a secret key.
//!
//! Cursors show clients the upper bits of hashes, and the order in which names come shows more. So
//! many results of the function for chosen inputs must tell nothing about others. Otherwise a
//! client could make names with equal hashes, which share one table of any size. Because it takes
//! whole byte strings only, this is faster than a hasher that takes its input in pieces. Of a long
//! name the hash is that of a few numbers that tell it from others ([`long`]).

mod long;

/// From this length on, in bytes, a name counts as long.
const LONG_BYTES_MIN: usize = 4096;

/// The hash of names under a secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameHasher {
    key: [u64; 2],
}

impl NameHasher {
    /// The hash with this key, which must be kept secret from clients.
    pub const fn new(key: [u64; 2]) -> NameHasher {
        NameHasher { key }
    }

    /// The hash of a name.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.hash_inline(bytes)
    }

    /// The same, inlined for a caller that does little else, and often.
    #[inline(always)]
    pub fn hash_inline(&self, bytes: &[u8]) -> u64 {
        if bytes.len() >= LONG_BYTES_MIN {
            return self.hash_long(bytes);
        }
        let mut state = self.begin();
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            state.take(u64::from_le_bytes(*word));
        }
        state.take(last_bytes(bytes, rest) | (bytes.len() as u64) << 56);
        state.finish(OF_SHORT)
    }

    #[cold]
    #[inline(never)]
    fn hash_long(&self, bytes: &[u8]) -> u64 {
        let point = self.begin().finish(OF_NOTHING);
        let mut state = self.begin();
        for lane in long::lanes(bytes, point) {
            state.take(lane);
        }
        state.take(bytes.len() as u64);
        state.finish(OF_LONG)
    }

    #[inline(always)]
    fn begin(&self) -> State {
        let [k0, k1] = self.key;
        State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
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

/// Up to eight bytes as the lower part of a word.
#[inline]
pub fn short_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // Two loads; where they overlap, they agree.
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => match *bytes {
            [a] => u64::from(a),
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
            _ => 0,
        },
    }
}

/// Returns whether two names are the same. Most are short: two words of each tell, and nothing is
/// called.
#[inline]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        4..8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        ..4 => short_word(a) == short_word(b),
        17.. => a == b,
    }
}

struct State([u64; 4]);

/// What ends the hash of a short name, as SipHash has it. Other ends make other functions, whose
/// results those of this one do not tell.
const OF_SHORT: u64 = 0xff;
/// What ends the hash of what a long name comes to.
const OF_LONG: u64 = 0xee;
/// What ends the hash of nothing that gives the secret point for long names.
const OF_NOTHING: u64 = 0xdd;

impl State {
    #[inline]
    fn take(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    fn finish(mut self, end: u64) -> u64 {
        self.0[2] ^= end;
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
    fn names_are_the_same_if_all_bytes_are() {
        for len in 0..40 {
            let name: Vec<u8> = (0..len).collect();
            assert!(is_same(&name, &name.clone()));
            for at in 0..name.len() {
                let mut other = name.clone();
                other[at] ^= 0x80;
                assert!(!is_same(&name, &other), "{len} {at}");
                assert!(!is_same(&name, &name[..at]));
            }
        }
    }

    #[test]
    fn it_is_the_function_of_the_standard_library() {
        let bytes: Vec<u8> = (0..200).map(|n| (n * 37) as u8).collect();
        for len in 0..bytes.len() {
            let bytes = &bytes[..len];
            // That is SipHash-1-3 with a key of zeros.
            let mut theirs = DefaultHasher::new();
            theirs.write(bytes);
            assert_eq!(
                NameHasher::new([0, 0]).hash(bytes),
                theirs.finish(),
                "{len}"
            );
        }
    }

    #[test]
    fn every_bit_of_the_key_counts() {
        let long = vec![b'k'; LONG_BYTES_MIN];
        for name in [&b"key:1"[..], &long] {
            let plain = NameHasher::new([1, 2]).hash(name);
            for bit in 0..64 {
                for key in [[1 ^ (1 << bit), 2], [1, 2 ^ (1 << bit)]] {
                    assert_ne!(NameHasher::new(key).hash(name), plain);
                }
            }
        }
    }

    #[test]
    fn every_byte_and_the_length_of_a_long_name_count() {
        let hasher = NameHasher::new([3, 4]);
        let mut name = vec![0; LONG_BYTES_MIN];
        let mut seen = std::collections::BTreeSet::new();
        for at in 0..name.len() {
            name[at] = 1;
            assert!(seen.insert(hasher.hash(&name)));
            name[at] = 0;
        }
        for len in 0..200 {
            let zeros = vec![0; LONG_BYTES_MIN + len];
            assert!(seen.insert(hasher.hash(&zeros)));
        }
    }
}
