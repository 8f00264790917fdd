//! Floating-point numbers as strings hold them.

/// Reads a number: decimal or with an exponent, or infinite; no spaces, no NaN.
pub(super) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: f64 = text.parse().ok()?;
    (!number.is_nan()).then_some(number)
}

/// Digits that a sum keeps: what 17 digits behind the point leave of a number of some size.
const FRACTION_DIGITS: usize = 17;

/// Writes a number without an exponent and without zeros at its end.
pub(super) fn format_float(number: f64) -> String {
    // The shortest text that reads back as the same number has no noise of binary fractions in it.
    let shortest = number.to_string();
    let text = match shortest.split_once('.') {
        Some((_, fraction)) if fraction.len() > FRACTION_DIGITS => {
            let rounded = format!("{number:.FRACTION_DIGITS$}");
            rounded
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        }
        _ => shortest,
    };
    if text == "-0" { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{format_float, parse_float};

    #[test]
    fn numbers_are_written_plainly() {
        for (number, text) in [
            (10.6, "10.6"),
            (5000.0, "5000"),
            (-0.0, "0"),
            (1e20, "100000000000000000000"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(format_float(number), text);
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "abc", "1x", " 1", "1 ", "nan"] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_float(b"5.0e3"), Some(5000.0));
    }
}
