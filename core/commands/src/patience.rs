//! `BLOCK milliseconds` and other timeouts of commands that wait.

use engine::Mono;
use engine::args::{Args, parse_i64};
use engine::command::FromArgs;
use engine::error::CmdError;

/// How long a command waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// For ever.
    Endless,
    /// So many milliseconds; at least one.
    Ms(u64),
}

/// The longest wait, in milliseconds; beyond it no clock could show the end.
const BLOCK_MS_MAX: u64 = i64::MAX as u64 - (1 << 42);

impl<'a> FromArgs<'a> for Patience {
    fn from_args(args: &mut Args<'a>) -> Result<Patience, CmdError> {
        Patience::parse(args)
    }
}

impl Patience {
    /// Takes a number of milliseconds; 0 means for ever.
    pub(crate) fn parse(args: &mut Args<'_>) -> Result<Patience, CmdError> {
        let ms = parse_i64(args.required()?).ok_or(CmdError::TimeoutNotAnInteger)?;
        match u64::try_from(ms) {
            Err(_) => Err(CmdError::TimeoutNegative),
            Ok(0) => Ok(Patience::Endless),
            Ok(ms) if ms > BLOCK_MS_MAX => Err(CmdError::TimeoutOutOfRange),
            Ok(ms) => Ok(Patience::Ms(ms)),
        }
    }

    /// When a wait that begins now ends.
    pub(crate) fn deadline(self, now: Mono) -> Option<Mono> {
        match self {
            Patience::Endless => None,
            Patience::Ms(ms) => Some(now.plus(ms)),
        }
    }
}
