//! Integers as text: which byte strings are the canonical text of a number.
//!
//! A string is kept as an integer only if formatting that integer gives back the very same bytes,
//! so signs, blanks and leading zeros that a client wrote are never lost.

/// How many bytes the longest text of an integer has: `-9223372036854775808`.
pub const INTEGER_TEXT_BYTES_MAX: usize = 20;

/// The integer whose canonical decimal text this is: no plus, no blank, no leading zero, no `-0`.
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= INTEGER_TEXT_BYTES_MAX => {}
        _ => return None,
    }
    // Summed up as a negative number, where the range is larger by one.
    let mut value = 0_i64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_canonical_texts_are_integers() {
        let integers: [(&[u8], i64); 7] = [
            (b"0", 0),
            (b"7", 7),
            (b"-1", -1),
            (b"10", 10),
            (b"9223372036854775807", i64::MAX),
            (b"-9223372036854775808", i64::MIN),
            (b"-9223372036854775807", -i64::MAX),
        ];
        for (text, value) in integers {
            assert_eq!(parse_integer(text), Some(value));
        }
        let others: [&[u8]; 13] = [
            b"",
            b"-",
            b"-0",
            b"00",
            b"01",
            b"+1",
            b" 1",
            b"1 ",
            b"1.0",
            b"9223372036854775808",
            b"-9223372036854775809",
            b"99999999999999999999",
            b"1a",
        ];
        for text in others {
            assert_eq!(parse_integer(text), None, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_integer_is_read_from_its_own_text(value: i64) {
            prop_assert_eq!(parse_integer(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn what_is_read_formats_to_the_same_text(text in "[-+]?[0-9]{0,21}") {
            if let Some(value) = parse_integer(text.as_bytes()) {
                prop_assert_eq!(value.to_string(), text);
            }
        }
    }
}
