//! Glob-style patterns: `*`, `?`, `[abc]`, `[^a-z]`, and `\` before a character that stands for
//! itself.
//!
//! Only the last star is ever tried again, so that no pattern of a client can make matching
//! explode. If even that takes long, `long` takes over.

mod long;

use crate::limits::{GLOB_BYTES_MAX, GLOB_RETRIES_MAX};

/// Whether letters match in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// `a` is not `A`.
    Exact,
    /// `a` is `A`.
    AnyCase,
}

/// Returns whether all of the text fits the pattern.
pub fn matches(pattern: &[u8], text: &[u8], letters: Letters) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star does not fit: the star's text grows by one.
    let mut again: Option<(usize, usize)> = None;
    let mut retried = 0;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            again = Some((p, t));
            continue;
        }
        let fits = match text.get(t) {
            None if p == pattern.len() => return true,
            None => return false,
            Some(byte) => fits_one(&pattern[p..], *byte, letters),
        };
        match (fits, again) {
            (Some(len), _) => {
                p += len;
                t += 1;
            }
            (None, Some((after_star, from))) => {
                retried += t - from + 1 + (p - after_star);
                if pattern.get(p) == Some(&b'[') {
                    // All of it was read to find that it lacks the letter.
                    retried += pattern.len() - p;
                }
                if retried > GLOB_RETRIES_MAX && pattern.len() <= GLOB_BYTES_MAX {
                    return long::matches(pattern, text, letters);
                }
                p = after_star;
                t = from + 1;
                again = Some((after_star, t));
            }
            (None, None) => return false,
        }
    }
}

/// The length of the pattern's first element if it fits the byte.
fn fits_one(pattern: &[u8], byte: u8, letters: Letters) -> Option<usize> {
    let same = |a: u8, b: u8| match letters {
        Letters::Exact => a == b,
        Letters::AnyCase => a.eq_ignore_ascii_case(&b),
    };
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', set @ ..] => fits_set(set, byte, letters).map(|len| len + 1),
        [b'\\', escaped, ..] => same(*escaped, byte).then_some(2),
        [plain, ..] => same(*plain, byte).then_some(1),
    }
}

/// A letter as it is compared.
#[inline]
fn fold(byte: u8, letters: Letters) -> u8 {
    match letters {
        Letters::Exact => byte,
        Letters::AnyCase => byte.to_ascii_lowercase(),
    }
}

/// The length of a set, from after its `[` to its `]` or the pattern's end, if it has the byte.
fn fits_set(set: &[u8], byte: u8, letters: Letters) -> Option<usize> {
    let byte = fold(byte, letters);
    let mut found = false;
    let (len, negated) = set_items(set, letters, &mut |low, high| {
        found |= (low..=high).contains(&byte);
    });
    (found != negated).then_some(len)
}

/// Goes over the ranges of a set, from after its `[`; returns its length, and whether it is
/// negated.
#[inline]
fn set_items(set: &[u8], letters: Letters, item: &mut impl FnMut(u8, u8)) -> (usize, bool) {
    let negated = set.first() == Some(&b'^');
    let mut at = usize::from(negated);
    loop {
        match &set[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                item(fold(*escaped, letters), fold(*escaped, letters));
                at += 2;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (fold(*low, letters), fold(*high, letters));
                item(low.min(high), low.max(high));
                at += 3;
            }
            [plain, ..] => {
                item(fold(*plain, letters), fold(*plain, letters));
                at += 1;
            }
        }
    }
    (at, negated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Letters, long, matches};

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a*b*c", "aXbXbXc", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("[\\]]", "]", true),
            ("[abc", "b", true),
            ("a", "ab", false),
            ("ab", "a", false),
            ("\\", "\\", true),
            ("x**y", "xy", true),
        ] {
            let found = matches(pattern.as_bytes(), text.as_bytes(), Letters::Exact);
            assert_eq!(found, expected, "{pattern:?} {text:?}");
        }
        assert!(matches(b"XR[A-C]*", b"xrange", Letters::AnyCase));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "a*".repeat(50) + "b";
        assert!(!matches(
            pattern.as_bytes(),
            "a".repeat(1000).as_bytes(),
            Letters::Exact
        ));
    }

    #[test]
    fn a_long_part_over_a_long_text_takes_no_time() {
        let text = "a".repeat(100_000);
        for pattern in [
            "a".repeat(20_000) + "b",
            format!("[{}]c", "b".repeat(20_000)),
        ] {
            let pattern = format!("*{pattern}*");
            assert!(!matches(
                pattern.as_bytes(),
                text.as_bytes(),
                Letters::Exact
            ));
        }
        let pattern = format!("*{}*", "?a".repeat(10_000));
        assert!(matches(pattern.as_bytes(), text.as_bytes(), Letters::Exact));
    }

    proptest! {
        #[test]
        fn long_patterns_match_as_short_ones(
            pattern in "[ab*?\\[\\]^\\\\A-]{0,12}",
            text in "[abA\\]-]{0,16}",
            any_case: bool,
        ) {
            let letters = if any_case { Letters::AnyCase } else { Letters::Exact };
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(long::matches(pattern, text, letters), matches(pattern, text, letters));
        }
    }
}
