//! The digits of a floating-point number, as Redis finds them.
//!
//! This is Grisu2 of Florian Loitsch ("Printing Floating-Point Numbers Quickly and Accurately
//! with Integers", 2010). A number is multiplied by a power of ten that is rounded to 64 bits,
//! and digits are written until what is left is within the bounds of what reads back as the
//! same number. What rounding costs is taken off these bounds. So for about one number in 700
//! there is a digit more than it takes, or the last one is not the nearest. Clients of Redis
//! see the same.

/// The most digits that a number has.
const DIGITS_MAX: usize = 17;

/// Digits without zeros at either end.
#[derive(Debug, Default)]
pub(super) struct Digits {
    bytes: [u8; DIGITS_MAX],
    len: usize,
    /// The exponent of ten that they are multiplied by.
    pub(super) exponent: i32,
}

impl Digits {
    /// Those of a finite number above zero.
    pub(super) fn of(value: f64) -> Digits {
        let number = Binary::of(value);
        let (low, high) = number.bounds();
        let (power, exponent) = power_for(high);
        let (low, high) = (low.times(power), high.times(power));
        let number = number.normalized().times(power);
        let mut digits = Digits::default();
        let rest = Rest {
            // What the products may be off.
            width: (high.significand - 1).saturating_sub(low.significand + 1),
            above: (high.significand - 1).saturating_sub(number.significand),
            shift: high.exponent.unsigned_abs(),
        };
        digits.write(high.significand - 1, rest, -exponent);
        digits
    }

    /// The digits.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Writes the digits of `high`, which has `rest.shift` binary places behind its point, until
    /// they lie within the bounds.
    fn write(&mut self, high: u64, mut rest: Rest, exponent: i32) {
        let one = 1 << rest.shift;
        let (mut whole, mut fraction) = (high >> rest.shift, high & (one - 1));
        let mut unit = WHOLE_UNIT_MAX;
        self.exponent = exponent + WHOLE_DIGITS_MAX;
        while unit > 0 {
            self.push(whole / unit);
            whole %= unit;
            self.exponent -= 1;
            let left = (whole << rest.shift) + fraction;
            if left <= rest.width {
                return self.round(left, unit << rest.shift, rest);
            }
            unit /= 10;
        }
        loop {
            // Less than one, which is at most 2^60.
            fraction *= 10;
            rest.width = rest.width.wrapping_mul(10);
            rest.above = rest.above.wrapping_mul(10);
            self.push(fraction >> rest.shift);
            fraction &= one - 1;
            self.exponent -= 1;
            if fraction < rest.width {
                return self.round(fraction, one, rest);
            }
        }
    }

    fn push(&mut self, digit: u64) {
        if digit == 0 && self.len == 0 {
            return;
        }
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = b'0' + digit as u8;
            self.len += 1;
        }
    }

    /// Makes the last digit smaller as long as that comes nearer to the number and stays within the
    /// bounds. The digits are `left` below the upper one, and `unit` is what the last one counts.
    fn round(&mut self, mut left: u64, unit: u64, rest: Rest) {
        let last = self.len.checked_sub(1);
        let Some(last) = last.and_then(|last| self.bytes.get_mut(last)) else {
            return;
        };
        let is_nearer = |left: u64| {
            let next = left + unit;
            next < rest.above || rest.above - left > next - rest.above
        };
        while left < rest.above && rest.width - left >= unit && is_nearer(left) {
            *last -= 1;
            left += unit;
        }
    }
}

/// Bounds of what reads back as the same number, counted down from the upper one.
#[derive(Debug, Clone, Copy)]
struct Rest {
    /// Where the lower one is,
    width: u64,
    /// and the number.
    above: u64,
    /// How many binary places there are behind the point.
    shift: u32,
}

/// A whole number times a power of two.
#[derive(Debug, Clone, Copy)]
struct Binary {
    significand: u64,
    exponent: i32,
}

const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
/// The exponent of the smallest numbers, whose significands are whole.
const EXPONENT_MIN: i32 = f64::MIN_EXP - f64::MANTISSA_DIGITS as i32;

impl Binary {
    fn of(value: f64) -> Binary {
        let bits = value.to_bits();
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        match (bits >> FRACTION_BITS) as i32 {
            0 => Binary {
                significand: fraction,
                exponent: EXPONENT_MIN,
            },
            exponent => Binary {
                significand: fraction | 1 << FRACTION_BITS,
                exponent: EXPONENT_MIN - 1 + exponent,
            },
        }
    }

    /// The same number with the highest bit set.
    fn normalized(self) -> Binary {
        let shift = self.significand.leading_zeros();
        Binary {
            significand: self.significand << shift,
            exponent: self.exponent - shift as i32,
        }
    }

    /// Half the way to the next number on either side; the upper one is normalized, and both have
    /// the same exponent.
    fn bounds(self) -> (Binary, Binary) {
        let high = Binary {
            significand: (self.significand << 1) + 1,
            exponent: self.exponent - 1,
        };
        let high = high.normalized();
        // The numbers below a power of two are nearer to one another than those above it.
        let shift = match self.significand == 1 << FRACTION_BITS {
            true => 2,
            false => 1,
        };
        let low = (self.significand << shift) - 1;
        let low = Binary {
            significand: low << (self.exponent - shift - high.exponent),
            exponent: high.exponent,
        };
        (low, high)
    }

    /// The upper 64 bits of the product, rounded.
    fn times(self, power: Binary) -> Binary {
        let product = u128::from(self.significand) * u128::from(power.significand);
        Binary {
            significand: ((product + (1 << 63)) >> 64) as u64,
            exponent: self.exponent + power.exponent + 64,
        }
    }
}

/// A product has at least this exponent, so that ten times what is behind its point fits into 64
/// bits.
const PRODUCT_EXPONENT_MIN: i32 = -60;

/// What is before the point of a product has at most so many digits.
const WHOLE_DIGITS_MAX: i32 = 10;
const WHOLE_UNIT_MAX: u64 = 10_u64.pow(WHOLE_DIGITS_MAX as u32 - 1);

/// The power of ten to multiply a number with, and its exponent of ten.
fn power_for(number: Binary) -> (Binary, i32) {
    let product = |exponent: i32| number.exponent + exponent + 64;
    let at = POWERS.partition_point(|(_, exponent)| product(*exponent) < PRODUCT_EXPONENT_MIN);
    let (significand, exponent) = POWERS.get(at).copied().unwrap_or((1 << 63, -63));
    let power = Binary {
        significand,
        exponent,
    };
    (power, POWER_MIN + POWER_STEP * at as i32)
}

/// The exponent of ten of the first power,
const POWER_MIN: i32 = -348;
/// and the distance to the next.
const POWER_STEP: i32 = 8;

/// Powers of ten, rounded to 64 bits: significands, and exponents of two.
#[rustfmt::skip]
const POWERS: [(u64, i32); 87] = [
    (0xfa8f_d5a0_081c_0288, -1220),
    (0xbaae_e17f_a23e_bf76, -1193),
    (0x8b16_fb20_3055_ac76, -1166),
    (0xcf42_894a_5dce_35ea, -1140),
    (0x9a6b_b0aa_5565_3b2d, -1113),
    (0xe61a_cf03_3d1a_45df, -1087),
    (0xab70_fe17_c79a_c6ca, -1060),
    (0xff77_b1fc_bebc_dc4f, -1034),
    (0xbe56_91ef_416b_d60c, -1007),
    (0x8dd0_1fad_907f_fc3c, -980),
    (0xd351_5c28_3155_9a83, -954),
    (0x9d71_ac8f_ada6_c9b5, -927),
    (0xea9c_2277_23ee_8bcb, -901),
    (0xaecc_4991_4078_536d, -874),
    (0x823c_1279_5db6_ce57, -847),
    (0xc210_9436_4dfb_5637, -821),
    (0x9096_ea6f_3848_984f, -794),
    (0xd774_85cb_2582_3ac7, -768),
    (0xa086_cfcd_97bf_97f4, -741),
    (0xef34_0a98_172a_ace5, -715),
    (0xb238_67fb_2a35_b28e, -688),
    (0x84c8_d4df_d2c6_3f3b, -661),
    (0xc5dd_4427_1ad3_cdba, -635),
    (0x936b_9fce_bb25_c996, -608),
    (0xdbac_6c24_7d62_a584, -582),
    (0xa3ab_6658_0d5f_daf6, -555),
    (0xf3e2_f893_dec3_f126, -529),
    (0xb5b5_ada8_aaff_80b8, -502),
    (0x8762_5f05_6c7c_4a8b, -475),
    (0xc9bc_ff60_34c1_3053, -449),
    (0x964e_858c_91ba_2655, -422),
    (0xdff9_7724_7029_7ebd, -396),
    (0xa6df_bd9f_b8e5_b88f, -369),
    (0xf8a9_5fcf_8874_7d94, -343),
    (0xb944_7093_8fa8_9bcf, -316),
    (0x8a08_f0f8_bf0f_156b, -289),
    (0xcdb0_2555_6531_31b6, -263),
    (0x993f_e2c6_d07b_7fac, -236),
    (0xe45c_10c4_2a2b_3b06, -210),
    (0xaa24_2499_6973_92d3, -183),
    (0xfd87_b5f2_8300_ca0e, -157),
    (0xbce5_0864_9211_1aeb, -130),
    (0x8cbc_cc09_6f50_88cc, -103),
    (0xd1b7_1758_e219_652c, -77),
    (0x9c40_0000_0000_0000, -50),
    (0xe8d4_a510_0000_0000, -24),
    (0xad78_ebc5_ac62_0000, 3),
    (0x813f_3978_f894_0984, 30),
    (0xc097_ce7b_c907_15b3, 56),
    (0x8f7e_32ce_7bea_5c70, 83),
    (0xd5d2_38a4_abe9_8068, 109),
    (0x9f4f_2726_179a_2245, 136),
    (0xed63_a231_d4c4_fb27, 162),
    (0xb0de_6538_8cc8_ada8, 189),
    (0x83c7_088e_1aab_65db, 216),
    (0xc45d_1df9_4271_1d9a, 242),
    (0x924d_692c_a61b_e758, 269),
    (0xda01_ee64_1a70_8dea, 295),
    (0xa26d_a399_9aef_774a, 322),
    (0xf209_787b_b47d_6b85, 348),
    (0xb454_e4a1_79dd_1877, 375),
    (0x865b_8692_5b9b_c5c2, 402),
    (0xc835_53c5_c896_5d3d, 428),
    (0x952a_b45c_fa97_a0b3, 455),
    (0xde46_9fbd_99a0_5fe3, 481),
    (0xa59b_c234_db39_8c25, 508),
    (0xf6c6_9a72_a398_9f5c, 534),
    (0xb7dc_bf53_54e9_bece, 561),
    (0x88fc_f317_f222_41e2, 588),
    (0xcc20_ce9b_d35c_78a5, 614),
    (0x9816_5af3_7b21_53df, 641),
    (0xe2a0_b5dc_971f_303a, 667),
    (0xa8d9_d153_5ce3_b396, 694),
    (0xfb9b_7cd9_a4a7_443c, 720),
    (0xbb76_4c4c_a7a4_4410, 747),
    (0x8bab_8eef_b640_9c1a, 774),
    (0xd01f_ef10_a657_842c, 800),
    (0x9b10_a4e5_e991_3129, 827),
    (0xe710_9bfb_a19c_0c9d, 853),
    (0xac28_20d9_623b_f429, 880),
    (0x8044_4b5e_7aa7_cf85, 907),
    (0xbf21_e440_03ac_dd2d, 933),
    (0x8e67_9c2f_5e44_ff8f, 960),
    (0xd433_179d_9c8c_b841, 986),
    (0x9e19_db92_b4e3_1ba9, 1013),
    (0xeb96_bf6e_badf_77d9, 1039),
    (0xaf87_023b_9bf0_ee6b, 1066),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_those_that_they_stand_for() {
        let index_of = |power: i32| ((power - POWER_MIN) / POWER_STEP) as usize;
        // 10^4 is exact, and each is 10^8 times the one before, as near as rounding allows.
        assert_eq!(POWERS[index_of(4)], (10_000 << 50, -50));
        for pair in POWERS.windows(2) {
            let [(below, exponent), (above, next)] = *pair else {
                unreachable!("windows of two")
            };
            let expected = u128::from(below) * 100_000_000;
            let shift = next - exponent;
            let difference = expected.abs_diff(u128::from(above) << shift);
            // Half of the last place of each.
            let difference_max = 50_000_000 + (1 << (shift - 1));
            assert!(difference <= difference_max, "{exponent}: {difference}");
        }
    }
}
