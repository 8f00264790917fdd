//! Numbers with four digits behind the point: how distances are answered.

use smallvec::SmallVec;

/// Ten to the number of digits behind the point.
const SCALE: u64 = 10_000;

/// How many bits of a double are behind those of its exponent.
const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;

/// What is added to the exponent of the last bit of a double.
const BIAS: i32 = f64::MAX_EXP - 1 + MANTISSA_BITS as i32;

/// How often a mantissa is halved that is a number small enough to be scaled.
const HALVINGS_MIN: i32 = 3;

const _: () = assert!((1 << (MANTISSA_BITS + 1)) >> HALVINGS_MIN < u64::MAX / SCALE);

/// The text of a number, as `{:.4}` formats it: rounded exactly, and to an even digit from the
/// middle. That takes one multiplication, rather than arithmetic with many words.
pub(super) fn fixed(value: f64) -> SmallVec<[u8; 32]> {
    let bits = value.to_bits();
    // It is `mantissa` by two to the `halvings`, if it is not negative, nor close to 0.
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1) | 1 << MANTISSA_BITS;
    let halvings = BIAS - (bits >> MANTISSA_BITS) as i32;
    if !(HALVINGS_MIN..u128::BITS as i32).contains(&halvings) {
        return SmallVec::from_slice(format!("{value:.4}").as_bytes());
    }
    let scaled = u128::from(mantissa) * u128::from(SCALE);
    let (whole, half) = ((scaled >> halvings) as u64, 1_u128 << (halvings - 1));
    let rest = scaled & ((half << 1) - 1);
    let is_up = rest > half || rest == half && whole % 2 == 1;
    let whole = whole + u64::from(is_up);
    let mut text = SmallVec::new();
    text.extend_from_slice(itoa::Buffer::new().format(whole / SCALE).as_bytes());
    // The 1 in front stands for zeros that belong there, and becomes the point.
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(SCALE + whole % SCALE).as_bytes();
    text.push(b'.');
    text.extend_from_slice(digits.get(1..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: f64) {
        let text = fixed(value);
        assert_eq!(std::str::from_utf8(&text).unwrap(), format!("{value:.4}"));
    }

    #[test]
    fn a_number_in_the_middle_is_rounded_as_by_format() {
        for odd in (1..2000).step_by(2) {
            check(f64::from(odd) / 32.0);
        }
        for value in [
            0.0,
            5e-324,
            0.000_05,
            0.999_95,
            9_999.999_95,
            1.125e15,
            1e16,
            1e300,
        ] {
            check(value);
            check(value.next_up());
            check(-value);
        }
    }

    proptest! {
        #[test]
        fn any_number_is_written_as_by_format(bits in any::<u64>(), metres in 0.0..3e7_f64) {
            check(f64::from_bits(bits));
            check(metres);
            check(metres / 1609.34);
        }
    }
}
