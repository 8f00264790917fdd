//! `BLOCK milliseconds` of the reading commands.

use crate::args::{Args, parse_i64};
use crate::error::CmdError;
use crate::time::Mono;

/// How long a reading command waits for entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// For ever.
    Endless,
    /// So many milliseconds; at least one.
    Ms(u64),
}

/// The longest wait, in milliseconds: beyond it the end is on no clock.
const BLOCK_MS_MAX: u64 = i64::MAX as u64 - (1 << 42);

impl Patience {
    /// Takes the number after `BLOCK`; 0 means for ever.
    pub(super) fn parse(args: &mut Args<'_>) -> Result<Patience, CmdError> {
        let ms = parse_i64(args.required()?).ok_or(CmdError::TimeoutNotAnInteger)?;
        match u64::try_from(ms) {
            Err(_) => Err(CmdError::TimeoutNegative),
            Ok(0) => Ok(Patience::Endless),
            Ok(ms) if ms > BLOCK_MS_MAX => Err(CmdError::TimeoutOutOfRange),
            Ok(ms) => Ok(Patience::Ms(ms)),
        }
    }

    /// When a wait that begins now ends.
    pub(super) fn deadline(self, now: Mono) -> Option<Mono> {
        match self {
            Patience::Endless => None,
            Patience::Ms(ms) => Some(now.plus(ms)),
        }
    }
}
