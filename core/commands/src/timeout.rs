//! `BLOCK milliseconds` and other timeouts of commands that wait.

use engine::Mono;
use engine::args::{Args, parse_i64};
use engine::command::FromArgs;
use engine::error::CmdError;

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

    /// When a wait that begins now ends.
    pub(crate) fn deadline(self, now: Mono) -> Option<Mono> {
        match self {
            Timeout::Never => None,
            Timeout::Ms(ms) => Some(now.plus(ms)),
        }
    }
}
