//! Floating-point numbers. In strings and hashes Redis computes with the 80 bits of x87, and
//! clients see their digits; scores are doubles.

use rustc_apfloat::ieee::{Double, X87DoubleExtended};
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
    let short = short(text)?;
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return short.is_infinite().then_some(Number::INFINITY);
    }
    read(text)
}

fn strip_hexadecimal_prefix(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

/// Reads a double: likewise, and what is too large for one or too near to zero is none.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (is_negative, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(magnitude) => (text.starts_with('-'), magnitude),
        None => (false, text),
    };
    let number = match strip_hexadecimal_prefix(magnitude) {
        // What is longer than the longest text of a number is none.
        Some(digits) if digits.len() <= TEXT_BYTES_MAX => {
            let number: Double = hexadecimal(digits)?;
            let is_lost = number.is_zero() && has_digits(digits, 'p');
            Some(f64::from_bits(number.to_bits() as u64)).filter(|_| !is_lost)
        }
        Some(_) => None,
        None => {
            let number = short(magnitude)?;
            let is_word = magnitude.starts_with(|c: char| c.is_ascii_alphabetic());
            let is_lost = number == 0.0 && has_digits(magnitude, 'e');
            let is_number = !number.is_nan() && !is_lost && number.is_infinite() == is_word;
            is_number.then_some(number)
        }
    }?;
    Some(if is_negative { -number } else { number })
}

/// Reads a bound of scores: decimal or infinite. What is too large for a double is infinite, what
/// is too near to zero is zero, and so is nothing. A zero byte ends it.
pub(crate) fn parse_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() {
        return Some(0.0);
    }
    let (is_negative, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(magnitude) => (text.starts_with('-'), magnitude),
        None => (false, text),
    };
    let number = short(magnitude).filter(|number| !number.is_nan())?;
    Some(if is_negative { -number } else { number })
}

/// Reads a double without a sign.
fn short(text: &str) -> Option<f64> {
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    text.parse().ok().filter(|_| begins_well)
}

/// Returns whether some digit before the exponent is not zero.
fn has_digits(text: &str, exponent: char) -> bool {
    let mantissa = text.split([exponent, exponent.to_ascii_uppercase()]).next();
    mantissa.is_some_and(|digits| digits.contains(|c: char| c != '0' && c != '.'))
}

fn hexadecimal<F: Float>(digits: &str) -> Option<F> {
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

fn read<F: Float>(text: &str) -> Option<F> {
    let read = F::from_str_r(text, Round::NearestTiesToEven).ok()?;
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
    use super::{format_float, parse_bound, parse_double, parse_float, rounded};

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
    fn doubles_are_read_as_redis_reads_scores() {
        for (text, number) in [
            ("1.", 1.0),
            (".5", 0.5),
            ("+5", 5.0),
            ("-0", -0.0),
            ("-0e400", -0.0),
            ("1e+5", 1e5),
            ("4e-324", 5e-324),
            ("1e-310", 1e-310),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("INFINITY", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-iNf", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("0x1.8", 1.5),
            ("0x.8", 0.5),
            ("-0X1P3", -8.0),
            ("0x0p5", 0.0),
            ("0x1p-1074", 5e-324),
            ("0x1.fffffffffffff8p0", 2.0),
        ] {
            let read = parse_double(text.as_bytes()).map(f64::to_bits);
            assert_eq!(read, Some(number.to_bits()), "{text}");
        }
        let zeros = format!("{}1", "0".repeat(300));
        assert_eq!(parse_double(zeros.as_bytes()), Some(1.0));
        for text in [
            "",
            " 1",
            "1 ",
            ".",
            "-",
            "+",
            "nan",
            "-nan",
            "1e",
            "1e+",
            "1_0",
            "--1",
            "+-1",
            "infx",
            "infinit",
            "i",
            "1f",
            "1e400",
            "-1e400",
            "1e-400",
            "2e-324",
            "0x",
            "0x1p",
            "0x1p1024",
            "0x1p-1080",
            "1e99999999999",
            "1\0",
        ] {
            assert_eq!(parse_double(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn bounds_are_read_as_redis_reads_them() {
        for (text, number) in [
            ("", 0.0),
            ("1\0x", 1.0),
            ("-1.5e3", -1500.0),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("1e-400", 0.0),
            ("+inf", f64::INFINITY),
        ] {
            assert_eq!(parse_bound(text.as_bytes()), Some(number), "{text:?}");
        }
        for text in [" 1", "1 ", "nan", "0x1", "1e", "(1", "[1", "\t1", "1_"] {
            assert_eq!(parse_bound(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn infinity_is_read() {
        use rustc_apfloat::Float;
        for text in ["inf", "-Infinity"] {
            assert!(parse_float(text.as_bytes()).unwrap().is_infinite());
        }
    }
}
