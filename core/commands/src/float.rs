//! Floating-point numbers in strings and hashes: Redis computes with the 80 bits of x87, and
//! clients see their digits.

use rustc_apfloat::ieee::X87DoubleExtended;
use rustc_apfloat::{Float, Round, Status};

/// A number with 64 bits of precision.
pub(crate) type Number = X87DoubleExtended;

/// How long the text of a number may be.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// The most digits after the point that are written.
const FRACTION_DIGITS_MAX: usize = 17;

/// Reads a number: decimal, with an exponent, hexadecimal, or infinite; no spaces, no NaN.
pub(crate) fn parse_float(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?;
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let (is_negative, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(magnitude) => (text.starts_with('-'), magnitude),
        None => (false, text),
    };
    let number = if let Some(digits) = strip_hexadecimal_prefix(magnitude) {
        hexadecimal(digits)?
    } else {
        decimal(magnitude)?
    };
    Some(if is_negative { -number } else { number })
}

fn decimal(text: &str) -> Option<Number> {
    // The reader of long numbers takes its input for well-formed.
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    let short = text.parse::<f64>().ok().filter(|_| begins_well)?;
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return short.is_infinite().then_some(Number::INFINITY);
    }
    read(text)
}

fn strip_hexadecimal_prefix(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn hexadecimal(digits: &str) -> Option<Number> {
    let (mantissa, exponent) = digits.split_once(['p', 'P']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str, radix| text.chars().all(|c| c.is_digit(radix));
    let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let is_number = (!whole.is_empty() || !fraction.is_empty())
        && all_digits(whole, 16)
        && all_digits(fraction, 16)
        && !exponent_digits.is_empty()
        && all_digits(exponent_digits, 10);
    is_number.then(|| read(&format!("0x{whole}.{fraction}p{exponent}")))?
}

fn read(text: &str) -> Option<Number> {
    let read = Number::from_str_r(text, Round::NearestTiesToEven).ok()?;
    (!read.status.contains(Status::OVERFLOW)).then_some(read.value)
}

/// Writes a finite number without an exponent and without zeros at its end.
pub(crate) fn format_float(number: Number) -> String {
    // Width is how many zeros may stand in for an exponent, precision how many digits there are at
    // most: all of them.
    let exact = format!("{number:TEXT_BYTES_MAX$.TEXT_BYTES_MAX$}");
    let text = match exact.split_once('.') {
        Some((whole, fraction)) => rounded(whole, fraction),
        None => exact,
    };
    if text == "-0" { "0".to_owned() } else { text }
}

/// Rounds a decimal number to [`FRACTION_DIGITS_MAX`].
fn rounded(whole: &str, fraction: &str) -> String {
    let kept = fraction.len().min(FRACTION_DIGITS_MAX);
    let (fraction, rest) = fraction.split_at(kept);
    let mut text = format!("{whole}.{fraction}").into_bytes();
    let last_is_odd = text.last().is_some_and(|digit| digit % 2 == 1);
    let rounds_up = match rest.as_bytes().split_first() {
        Some((b'5', more)) if more.iter().all(|digit| *digit == b'0') => last_is_odd,
        Some((first, _)) => *first >= b'5',
        None => false,
    };
    if rounds_up {
        increment(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Adds one to the last digit.
fn increment(text: &mut Vec<u8>) {
    for digit in text.iter_mut().rev().filter(|c| c.is_ascii_digit()) {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    let first_digit = usize::from(text.first() == Some(&b'-'));
    text.insert(first_digit, b'1');
}

#[cfg(test)]
mod tests {
    use super::{format_float, parse_float, rounded};

    fn sum(a: &str, b: &str) -> String {
        let number = |text: &str| parse_float(text.as_bytes()).unwrap();
        format_float((number(a) + number(b)).value)
    }

    #[test]
    fn sums_have_the_digits_of_redis() {
        for (a, b, text) in [
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("4", "1.000000000000000005", "5.00000000000000001"),
            ("9223372036854775806", "1e3", "9223372036854776806"),
            ("0.1", "0.2", "0.3"),
            ("5e-20", "0", "0"),
            ("-0.5", "0.5", "0"),
            ("-0.00000000000000000001", "0", "0"),
            ("123456789.125", "1e-17", "123456789.125"),
            ("1.1", "2.2", "3.3"),
            ("1e20", "1", "100000000000000000000"),
            (".5", "5.", "5.5"),
            ("0x10", "-0X.8p1", "15"),
        ] {
            assert_eq!(sum(a, b), text, "{a} + {b}");
        }
        assert!(
            sum("1e4000", "1").starts_with("9999999999999999999965463873099623784932492583506957")
        );
    }

    #[test]
    fn rounding_carries() {
        assert_eq!(rounded("9", "999999999999999999"), "10");
        assert_eq!(rounded("-9", "999999999999999999"), "-10");
        assert_eq!(rounded("0", "000000000000000005"), "0");
        assert_eq!(rounded("0", "0000000000000000051"), "0.00000000000000001");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "abc", "1x", " 1", "1 ", "nan", "1e", "1_0", "1e5000", "0x", "0x1p", "--1", "+-1",
        ] {
            assert!(parse_float(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(parse_float("0".repeat(6000).as_bytes()).is_none());
    }

    #[test]
    fn infinity_is_read() {
        use rustc_apfloat::Float;
        for text in ["inf", "-Infinity"] {
            assert!(parse_float(text.as_bytes()).unwrap().is_infinite());
        }
    }
}
