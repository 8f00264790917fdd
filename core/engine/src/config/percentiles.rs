//! `latency-tracking-info-percentiles`: which percentiles of the times of commands INFO tells.

use std::fmt;

use super::SettingError;
use crate::limits::PERCENTILES_MAX;

/// A share in percent, exact to six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentile {
    millionths: u32,
}

const INVALID: SettingError =
    SettingError::Invalid("Invalid latency-tracking-info-percentiles parameters");

const OUT_OF_RANGE: SettingError = SettingError::Invalid(
    "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
);

impl Percentile {
    /// The median.
    pub const P50: Percentile = Percentile {
        millionths: 50_000_000,
    };
    /// What one in a hundred exceeds.
    pub const P99: Percentile = Percentile {
        millionths: 99_000_000,
    };
    /// What one in a thousand exceeds.
    pub const P99_9: Percentile = Percentile {
        millionths: 99_900_000,
    };

    /// This share of a number, rounded up.
    pub(crate) fn of(self, all: u64) -> u64 {
        let share = u128::from(all) * u128::from(self.millionths);
        share.div_ceil(100_000_000) as u64
    }

    fn parse(text: &str) -> Result<Percentile, SettingError> {
        let percent: f64 = text.parse().map_err(|_| INVALID)?;
        if percent.is_nan() {
            return Err(INVALID);
        }
        match (0.0..=100.0).contains(&percent) {
            true => Ok(Percentile {
                millionths: (percent * 1e6).round() as u32,
            }),
            false => Err(OUT_OF_RANGE),
        }
    }

    /// Reads percentiles between single spaces; an empty text has none.
    pub(super) fn parse_all(text: &str) -> Result<Vec<Percentile>, SettingError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if text.split(' ').count() > PERCENTILES_MAX {
            return Err(SettingError::Invalid("at most 100 percentiles can be told"));
        }
        text.split(' ').map(Percentile::parse).collect()
    }

    /// The text that [`Percentile::parse_all`] reads.
    pub(super) fn text_of(percentiles: &[Percentile]) -> String {
        let texts: Vec<String> = percentiles.iter().map(Percentile::to_string).collect();
        texts.join(" ")
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (f64::from(self.millionths) / 1e6).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_told_in_their_shortest_form() {
        for (given, told) in [
            ("50 99 99.9", "50 99 99.9"),
            ("50.0 99.99 100", "50 99.99 100"),
            ("99.123456789012345 1e1 +5 1e-3", "99.123457 10 5 0.001"),
            ("0 0.0000001 -0", "0 0 0"),
            ("", ""),
        ] {
            let percentiles = Percentile::parse_all(given).unwrap();
            assert_eq!(Percentile::text_of(&percentiles), told);
            assert_eq!(Percentile::parse_all(told), Ok(percentiles));
        }
    }

    #[test]
    fn what_is_no_percentile_is_refused() {
        for text in ["x", "50,99", " 50", "50 ", "50  99", "nan", "50 x"] {
            assert_eq!(Percentile::parse_all(text), Err(INVALID), "{text}");
        }
        for text in ["100.1", "-1", "50 inf"] {
            assert_eq!(Percentile::parse_all(text), Err(OUT_OF_RANGE), "{text}");
        }
        let many = vec!["1"; PERCENTILES_MAX].join(" ");
        assert!(Percentile::parse_all(&many).is_ok());
        assert!(Percentile::parse_all(&format!("{many} 1")).is_err());
    }

    #[test]
    fn a_share_is_rounded_up() {
        assert_eq!(Percentile::P50.of(3), 2);
        assert_eq!(Percentile::P99.of(100), 99);
        assert_eq!(Percentile::P99_9.of(1000), 999);
        assert_eq!(Percentile::P99_9.of(999), 999);
        assert_eq!(Percentile::P50.of(u64::MAX), u64::MAX / 2 + 1);
        assert_eq!(Percentile::P99.of(0), 0);
    }
}
