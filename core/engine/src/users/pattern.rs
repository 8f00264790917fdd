//! A glob-style pattern of a user's rules, prepared to be compared with the names in requests.

use crate::glob::{Letters, matches};

/// A pattern, prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    text: Vec<u8>,
    /// How many bytes at its beginning stand for themselves.
    literal: usize,
    /// What follows them is one star.
    is_prefix: bool,
    /// They are so few that the first word of a name tells whether it begins with them, and what
    /// follows is one star.
    is_told: bool,
    /// The first of them.
    beginning: Beginning,
}

/// The first bytes of names, eight at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beginning {
    /// As [`first_word`] has them.
    first: u64,
    /// Which bytes of that count.
    mask: u64,
}

impl Beginning {
    /// That of all names.
    pub(super) const OF_ALL: Beginning = Beginning { first: 0, mask: 0 };
    /// That of no name.
    pub(super) const OF_NONE: Beginning = Beginning { first: 1, mask: 0 };

    fn new(bytes: &[u8]) -> Beginning {
        let ignored_bits = u64::BITS.saturating_sub(u8::BITS * bytes.len().min(WORD_BYTES) as u32);
        Beginning {
            first: first_word(bytes),
            mask: u64::MAX.checked_shr(ignored_bits).unwrap_or(0),
        }
    }

    /// Returns whether a name begins so that has this [`first_word`].
    #[inline]
    pub(super) fn is_of(self, word: u64) -> bool {
        word & self.mask == self.first
    }
}

const WORD_BYTES: usize = size_of::<u64>();

/// The first bytes of a name, zeros behind them if there are too few.
#[inline]
pub(super) fn first_word(name: &[u8]) -> u64 {
    whole_word(name).unwrap_or_else(|| short_word(name))
}

/// [`first_word`] of a name that is at least as long.
#[inline]
pub(super) fn whole_word(name: &[u8]) -> Option<u64> {
    name.first_chunk().map(|first| u64::from_le_bytes(*first))
}

/// [`first_word`] of a name that is no longer than that. What its two halves share, they agree on.
fn short_word(name: &[u8]) -> u64 {
    let halves = name.first_chunk().zip(name.last_chunk());
    match halves {
        Some((first, last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            u64::from(u32::from_le_bytes(*first)) | last << (8 * (name.len() - size_of::<u32>()))
        }
        None => {
            let bytes = name.iter().rev();
            bytes.fold(0, |word, byte| word << u8::BITS | u64::from(*byte))
        }
    }
}

/// The beginning of a pattern that stands for itself.
fn literal_of(text: &[u8]) -> &[u8] {
    let special = text.iter().position(|byte| b"*?[\\".contains(byte));
    &text[..special.unwrap_or(text.len())]
}

impl Pattern {
    /// A pattern with this text, in which there is no zero.
    pub(super) fn new(text: &[u8]) -> Pattern {
        let literal = literal_of(text).len();
        let is_prefix = &text[literal..] == b"*";
        Pattern {
            beginning: Beginning::new(&text[..literal]),
            text: text.to_vec(),
            literal,
            is_prefix,
            is_told: is_prefix && literal <= WORD_BYTES,
        }
    }

    /// The pattern as it was given.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns whether a name matches that has this [`first_word`]. Most patterns are told apart by
    /// that, and many need no more: a name that is too short has zeros where they have none.
    #[inline]
    pub(super) fn matches_from(&self, word: u64, name: &[u8]) -> bool {
        self.beginning.is_of(word) && (self.is_told || self.matches(name))
    }

    /// How the names begin that match, if all match that begin so.
    pub(super) fn beginning(&self) -> Option<Beginning> {
        self.is_told.then_some(self.beginning)
    }

    /// Returns whether it is sure that all names match that another pattern matches: it is the
    /// same, or whatever follows the beginning of this one matches it. That may be so of others
    /// too, but is not worked out.
    pub(super) fn covers(&self, other: &[u8]) -> bool {
        let is_longer = self.is_prefix && literal_of(other).starts_with(&self.text[..self.literal]);
        is_longer || self.text == other
    }

    /// Returns whether a name matches.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let (literal, rest) = self.text.split_at(self.literal);
        match name.strip_prefix(literal) {
            None => false,
            Some(_) if self.is_prefix => true,
            Some(left) => matches(rest, left, Letters::Exact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_a_name_rules_out_only_what_does_not_match() {
        let names = [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefgi",
            "b",
            "*",
            "a\0",
            "\0",
        ];
        let patterns = [
            "",
            "*",
            "a",
            "a*",
            "ab?",
            "abc*",
            "abcde*",
            "abcdefgh",
            "abcdefgh*",
            "abcdefghi",
            "abcdefghi*",
            "[ab]*",
            "\\*",
            "?",
        ];
        for text in patterns {
            let pattern = Pattern::new(text.as_bytes());
            for name in names {
                let name = name.as_bytes();
                let is_match = matches(text.as_bytes(), name, Letters::Exact);
                assert_eq!(pattern.matches(name), is_match, "{text} {name:?}");
                let from_word = pattern.matches_from(first_word(name), name);
                assert_eq!(from_word, is_match, "{text} {name:?}");
            }
        }
        assert_eq!(Pattern::new(b"*").beginning(), Some(Beginning::OF_ALL));
        assert!(Pattern::new(b"abcdefgh*").beginning().is_some());
        assert!(Pattern::new(b"abcdefghi*").beginning().is_none());
        assert!(Pattern::new(b"abc").beginning().is_none());
        assert!(
            !names
                .iter()
                .any(|name| Beginning::OF_NONE.is_of(first_word(name.as_bytes())))
        );
    }

    #[test]
    fn a_pattern_covers_what_it_surely_matches() {
        for (pattern, other, expected) in [
            ("*", "", true),
            ("*", "[a]*", true),
            ("orders:*", "orders:*", true),
            ("orders:*", "orders:eu:*", true),
            ("orders:*", "orders:", true),
            ("orders:*", "orders:1", true),
            ("orders:*", "orders*", false),
            ("orders:*", "order[s]:*", false),
            ("orders:*", "orders\\:*", false),
            ("orders:*", "*", false),
            ("orders:?", "orders:?", true),
            ("orders:?", "orders:1", false),
            ("orders:*:eu", "orders:*:eu", true),
            ("orders:*:eu", "orders:1:eu", false),
            ("orders", "orders", true),
            ("orders", "orders:", false),
        ] {
            let covers = Pattern::new(pattern.as_bytes()).covers(other.as_bytes());
            assert_eq!(covers, expected, "{pattern} {other}");
        }
    }

    #[test]
    fn the_first_word_of_a_short_name_ends_in_zeros() {
        let name = b"abcdefghi";
        for len in 0..name.len() {
            let mut word = [0; WORD_BYTES];
            let some = len.min(WORD_BYTES);
            word[..some].copy_from_slice(&name[..some]);
            assert_eq!(first_word(&name[..len]), u64::from_le_bytes(word), "{len}");
        }
    }
}
