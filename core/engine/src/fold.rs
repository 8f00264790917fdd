//! Words and names in any case of letters, compared eight bytes at a time.

/// Longest name that [`folded`] keeps whole.
const FOLDED_WHOLE_BYTES_MAX: usize = 8;

/// The first and last bytes of a name in a number that is the same for upper and lower case.
/// Setting bit 5 of every byte folds letters, and makes a letter of nothing else: so of two names
/// of one length of which one [`is_told`], the numbers are equal only if the names are.
#[inline]
pub(crate) const fn folded(name: &[u8]) -> u64 {
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let whole = match *name {
        [] => 0,
        [a] => u64::from_le_bytes([a, 0, 0, 0, 0, 0, 0, 0]),
        [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
        [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        [a, b, c, d, ..] => {
            let [.., w, x, y, z] = *name else {
                return 0;
            };
            u64::from_le_bytes([a, b, c, d, w, x, y, z])
        }
    };
    whole | FOLD
}

/// Returns whether what [`folded`] makes of a name tells it from all others of its length: it is
/// kept whole, and has letters only.
#[inline(always)]
pub(crate) const fn is_told(name: &[u8]) -> bool {
    let mut letters = 0;
    while letters < name.len() && name[letters].is_ascii_alphabetic() {
        letters += 1;
    }
    letters == name.len() && name.len() <= FOLDED_WHOLE_BYTES_MAX
}

/// Returns whether an argument is a word, in any case of letters. Inlined, so that for a word of up
/// to eight letters that is known when this is compiled it is one comparison of numbers.
#[inline(always)]
pub(crate) fn is_word(arg: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    arg.len() == word.len()
        && folded(arg) == folded(word)
        && (is_told(word) || arg.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_any_case_of_letters_and_in_nothing_else() {
        for word in [
            "",
            "A",
            "nx",
            "GET",
            "MAXLEN",
            "IDMPAUTO",
            "AUTH2",
            "a-b",
            "WITHSCORES",
        ] {
            assert!(is_word(word.to_ascii_lowercase().as_bytes(), word));
            assert!(is_word(word.to_ascii_uppercase().as_bytes(), word));
            for at in 0..word.len() {
                for byte in 0..=255 {
                    let mut other = word.as_bytes().to_vec();
                    other[at] = byte;
                    let is_same = other.eq_ignore_ascii_case(word.as_bytes());
                    assert_eq!(is_word(&other, word), is_same, "{word} {other:?}");
                }
                assert!(!is_word(&word.as_bytes()[..at], word));
            }
        }
    }
}
