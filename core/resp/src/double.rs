//! Floating-point numbers as Redis writes them in replies.
//!
//! The layout is that of Redis 8.6, found by asking it for 180,000 numbers, and so are the digits
//! ([`digits`]), which read back as the same number.

mod digits;

use self::digits::Digits;

/// Room for the longest text of a number: a sign, `0.00000` and 17 digits, or an exponent.
pub const DOUBLE_TEXT_BYTES_MAX: usize = 32;

/// Up to here, whole numbers are written as integers.
const INTEGER_MAX: f64 = (1_u64 << 62) as f64;

/// The text of `value`: `inf`, `-inf`, `nan`, an integer (`100`), a decimal fraction (`0.00001`),
/// or digits with an exponent (`1.5e-7`, `1e+21`).
pub fn double_text(value: f64, text: &mut [u8; DOUBLE_TEXT_BYTES_MAX]) -> &[u8] {
    let mut out = Text {
        bytes: text,
        len: 0,
    };
    if value.is_nan() {
        out.append(b"nan");
    } else if value.is_infinite() {
        out.append(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.append(if value.is_sign_negative() {
            b"-0"
        } else {
            b"0"
        });
    } else if value.abs() <= INTEGER_MAX && value == value.trunc() {
        out.append(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        write_finite(value, &mut out);
    }
    let Text { bytes, len } = out;
    bytes.get(..len).unwrap_or_default()
}

fn write_finite(value: f64, out: &mut Text<'_>) {
    if value < 0.0 {
        out.append(b"-");
    }
    let digits = Digits::of(value.abs());
    let (digits, exponent) = (digits.as_bytes(), digits.exponent);
    // The number is `digits` times ten to the `exponent`, or d.ddd times ten to the `magnitude`.
    let count = digits.len() as i32;
    let magnitude = exponent + count - 1;
    if exponent >= 0 && magnitude < count + 7 {
        out.append(digits);
        out.zeros(exponent);
    } else if exponent < 0 && (exponent > -7 || magnitude.abs() < 4) {
        match usize::try_from(count + exponent) {
            Ok(whole) if whole > 0 => {
                let (whole, fraction) = digits.split_at_checked(whole).unwrap_or((digits, b""));
                out.append(whole);
                out.append(b".");
                out.append(fraction);
            }
            Ok(_) | Err(_) => {
                out.append(b"0.");
                out.zeros(-(count + exponent));
                out.append(digits);
            }
        }
    } else {
        let (first, fraction) = digits.split_at_checked(1).unwrap_or((digits, b""));
        out.append(first);
        if !fraction.is_empty() {
            out.append(b".");
            out.append(fraction);
        }
        out.append(if magnitude < 0 { b"e-" } else { b"e+" });
        out.append(
            itoa::Buffer::new()
                .format(magnitude.unsigned_abs())
                .as_bytes(),
        );
    }
}

/// Text that grows in a place of fixed size.
struct Text<'t> {
    bytes: &'t mut [u8; DOUBLE_TEXT_BYTES_MAX],
    len: usize,
}

impl Text<'_> {
    fn append(&mut self, more: &[u8]) {
        if let Some(to) = self.bytes.get_mut(self.len..self.len + more.len()) {
            to.copy_from_slice(more);
            self.len += more.len();
        }
    }

    fn zeros(&mut self, count: i32) {
        for _ in 0..count {
            self.append(b"0");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut text = [0; DOUBLE_TEXT_BYTES_MAX];
        String::from_utf8(double_text(value, &mut text).to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_redis_writes_them() {
        let rows = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (3.0000000000000004, "3.0000000000000004"),
            (0.12345678901234568, "0.12345678901234568"),
            (12345678.9, "12345678.9"),
            (1234567890.125, "1234567890.125"),
            (12345678901234567.0, "12345678901234568"),
            (1e18, "1000000000000000000"),
            (4611686018427387904.0, "4611686018427387904"),
            (-4611686018427387904.0, "-4611686018427387904"),
            (4611686018427388928.0, "4611686018427389000"),
            (9223372036854775807.0, "9223372036854776000"),
            (5e18, "5e+18"),
            (1e19, "1e+19"),
            (1e21, "1e+21"),
            (1.5e21, "1.5e+21"),
            (1.23456e20, "1.23456e+20"),
            (-1.5e300, "-1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (1e-5, "0.00001"),
            (1.5e-5, "0.000015"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-6, "1.5e-6"),
            (1.23456789e-5, "1.23456789e-5"),
            (-1e-7, "-1e-7"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            // Fewer digits would do, or others are nearer.
            (2.832828919968758e49, "2.8328289199687583e+49"),
            (1254217469813417.8, "1254217469813417.7"),
            (33.87840682306744, "33.878406823067436"),
            (60.03315603467966, "60.033156034679664"),
            (140.4615798793143, "140.46157987931429"),
            (32.30165473777814, "32.301654737778136"),
            (5.091339738443176, "5.0913397384431764"),
            (0.04371697168076338, "0.043716971680763383"),
            (0.0710600958985299, "0.07106009589852991"),
            (0.3649008751819314, "0.36490087518193137"),
            (0.3119898874138958, "0.31198988741389577"),
            (0.1268388573549699, "0.12683885735496991"),
        ];
        for (value, expected) in rows {
            assert_eq!(text(value), expected);
        }
    }

    proptest! {
        #[test]
        fn the_text_reads_back_as_the_same_number(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let read: f64 = text(value).parse().unwrap();
            prop_assert!(read.to_bits() == bits || (value.is_nan() && read.is_nan()));
        }
    }
}
