//! Numbers as C writes them.

use std::io::Write as _;

/// Writes a number as `%.<precision>g` does.
pub(crate) fn write_general(out: &mut Vec<u8>, number: f64, precision: usize) {
    if !number.is_finite() {
        let text: &[u8] = match (number.is_nan(), number.is_sign_negative()) {
            (true, true) => b"-nan",
            (true, false) => b"nan",
            (false, true) => b"-inf",
            (false, false) => b"inf",
        };
        out.extend_from_slice(text);
        return;
    }
    if number.fract() == 0.0 && number.abs() < 1e15 && number.abs() < 10f64.powi(precision as i32) {
        let whole = number as i64;
        if whole != 0 || number.is_sign_positive() {
            out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
            return;
        }
    }
    let precision = precision.max(1);
    let text = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let start = out.len();
    if exponent < -4 || exponent >= precision as i32 {
        out.extend_from_slice(without_zeros(digits).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        let exponent = exponent.unsigned_abs();
        // Writing to memory does not fail.
        let _ = write!(out, "e{sign}{exponent:02}");
    } else {
        let places = usize::try_from(precision as i32 - 1 - exponent).unwrap_or_default();
        let text = format!("{number:.places$}");
        out.truncate(start);
        out.extend_from_slice(without_zeros(&text).as_bytes());
    }
}

fn without_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::write_general;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (1e14, "1e+14"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (99_999_999_999_999.0, "99999999999999"),
            (1e-5, "1e-05"),
            (0.000_123, "0.000123"),
            (std::f64::consts::PI, "3.1415926535898"),
            (1e300, "1e+300"),
            (-2.5, "-2.5"),
            (f64::INFINITY, "inf"),
        ] {
            let mut out = Vec::new();
            write_general(&mut out, number, 14);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
