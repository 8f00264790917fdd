//! `maxmemory-clients`: a number of bytes, or a share of `maxmemory`.

use std::fmt;

use super::{SettingError, parse_bytes};

/// A number of bytes, or a share of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BytesOrPercent {
    Bytes(u64),
    Percent(u64),
}

impl BytesOrPercent {
    pub(super) fn parse(text: &str) -> Result<BytesOrPercent, SettingError> {
        let wrong = SettingError::NeitherBytesNorPercent;
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse().map_err(|_| wrong)? {
                percent @ 0..=100 => Ok(BytesOrPercent::Percent(percent)),
                101.. => Err(SettingError::AboveAll),
            },
            None => parse_bytes(text)
                .and_then(|bytes| u64::try_from(bytes).ok())
                .map(BytesOrPercent::Bytes)
                .ok_or(wrong),
        }
    }

    /// Returns how many bytes that is if the share is of `whole`.
    pub(super) fn of(self, whole: u64) -> u64 {
        match self {
            BytesOrPercent::Bytes(bytes) => bytes,
            BytesOrPercent::Percent(percent) => whole / 100 * percent,
        }
    }
}

impl fmt::Display for BytesOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BytesOrPercent::Bytes(bytes) => write!(f, "{bytes}"),
            BytesOrPercent::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_shares_are_read_as_in_redis() {
        let canonical = |text| BytesOrPercent::parse(text).map(|value| value.to_string());
        for (text, expected) in [
            ("1mb", "1048576"),
            ("0", "0"),
            ("5%", "5%"),
            ("100%", "100%"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected));
        }
        assert_eq!(canonical("101%"), Err(SettingError::AboveAll));
        for text in ["-1", "abc", "%", "-5%", "1.5%"] {
            assert_eq!(canonical(text), Err(SettingError::NeitherBytesNorPercent));
        }
        assert_eq!(BytesOrPercent::Percent(5).of(1000), 50);
        assert_eq!(BytesOrPercent::Percent(5).of(0), 0, "no limit of its own");
        assert_eq!(BytesOrPercent::Bytes(7).of(1000), 7);
    }
}
