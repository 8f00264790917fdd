//! Glob-style patterns: `*`, `?`, `[abc]`, `[^a-z]`, and `\` before a character that stands for itself.
//!
//! Matching takes time in proportion to pattern times text at worst: only the last star is ever tried
//! again, so that no pattern of a client can make it explode.

/// Whether letters match in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// `a` is not `A`.
    Exact,
    /// `a` is `A`.
    AnyCase,
}

/// Whether all of the text fits the pattern.
pub fn matches(pattern: &[u8], text: &[u8], letters: Letters) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star does not fit: the star's text grows by one.
    let mut again: Option<(usize, usize)> = None;
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

/// The length of a set, from behind its `[` to its `]` or the pattern's end, if it has the byte.
fn fits_set(set: &[u8], byte: u8, letters: Letters) -> Option<usize> {
    let fold = |byte: u8| match letters {
        Letters::Exact => byte,
        Letters::AnyCase => byte.to_ascii_lowercase(),
    };
    let negated = set.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    let byte = fold(byte);
    loop {
        match &set[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                found |= fold(*escaped) == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (fold(*low), fold(*high));
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [plain, ..] => {
                found |= fold(*plain) == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{Letters, matches};

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
}
