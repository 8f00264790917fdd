//! `BLOCK milliseconds` and other timeouts of commands that wait.

use std::cmp::Ordering;

use engine::Mono;
use engine::args::{Args, parse_i64};
use engine::command::FromArgs;
use engine::error::CmdError;
use rustc_apfloat::{Float, Round};

use crate::float::parse_float;

/// How long a command waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// Until something happens.
    Never,
    /// Milliseconds; at least one.
    Ms(u64),
}

/// The longest wait in milliseconds, so that its end can be represented.
const BLOCK_MS_MAX: u64 = i64::MAX as u64 - (1 << 42);

impl<'a> FromArgs<'a> for Timeout {
    fn from_args(args: &mut Args<'a>) -> Result<Timeout, CmdError> {
        Timeout::parse(args)
    }
}

impl Timeout {
    /// Takes a number of milliseconds; 0 means for ever.
    pub(crate) fn parse(args: &mut Args<'_>) -> Result<Timeout, CmdError> {
        let ms = parse_i64(args.required()?).ok_or(CmdError::TimeoutNotAnInteger)?;
        match u64::try_from(ms) {
            Err(_) => Err(CmdError::TimeoutNegative),
            Ok(0) => Ok(Timeout::Never),
            Ok(ms) if ms > BLOCK_MS_MAX => Err(CmdError::TimeoutOutOfRange),
            Ok(ms) => Ok(Timeout::Ms(ms)),
        }
    }

    /// Reads a number of seconds, which may have a fraction; 0 means for ever. A fraction of a
    /// millisecond is rounded up.
    pub(crate) fn of_seconds(text: &[u8]) -> Result<Timeout, CmdError> {
        let seconds = parse_float(text).ok_or(CmdError::TimeoutNotAFloat)?;
        let thousand = "1000".parse().expect("a number");
        let ms = (seconds * thousand).value;
        // Saturates, which is out of range.
        let ms = ms.to_i128_r(128, Round::TowardPositive, &mut false).value;
        match ms.cmp(&0) {
            Ordering::Less => Err(CmdError::TimeoutNegative),
            Ordering::Equal => Ok(Timeout::Never),
            Ordering::Greater => match u64::try_from(ms) {
                Ok(ms) if ms <= BLOCK_MS_MAX => Ok(Timeout::Ms(ms)),
                Ok(_) | Err(_) => Err(CmdError::TimeoutOutOfRange),
            },
        }
    }

    /// When a wait that begins now ends.
    pub(crate) fn deadline(self, now: Mono) -> Option<Mono> {
        match self {
            Timeout::Never => None,
            Timeout::Ms(ms) => Some(now.plus(ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Result<Timeout, CmdError> {
        Timeout::of_seconds(text.as_bytes())
    }

    /// As Redis 8.6.3 reads them.
    #[test]
    fn fractions_of_a_millisecond_are_rounded_up() {
        for (text, ms) in [
            ("1", 1000),
            ("0.0001", 1),
            ("1e-300", 1),
            (".5", 500),
            ("0x1", 1000),
        ] {
            assert_eq!(seconds(text), Ok(Timeout::Ms(ms)), "{text}");
        }
        assert_eq!(
            seconds("9223372036854"),
            Ok(Timeout::Ms(9_223_372_036_854_000))
        );
        for text in ["0", "-0", "-0.0001", "0.0"] {
            assert_eq!(seconds(text), Ok(Timeout::Never), "{text}");
        }
        for text in ["-0.9", "-1", "-inf", "-1e300"] {
            assert_eq!(seconds(text), Err(CmdError::TimeoutNegative), "{text}");
        }
        for text in ["inf", "1e300", "9223372036854775807", "9223372036854775"] {
            assert_eq!(seconds(text), Err(CmdError::TimeoutOutOfRange), "{text}");
        }
        for text in ["", " 1", "1 ", "x", "1e", "nan"] {
            assert_eq!(seconds(text), Err(CmdError::TimeoutNotAFloat), "{text}");
        }
    }
}
