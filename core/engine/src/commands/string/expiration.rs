//! `EX`, `PX`, `EXAT` and `PXAT`: when a string goes.

use crate::args::{Args, parse_i64};
use crate::commands::key::expiry::{Base, Unit, expiry_ms};
use crate::error::CmdError;
use crate::time::UnixMs;

/// When a string goes, as the client said it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiration<'a> {
    number: &'a [u8],
    unit: Unit,
    base: Base,
}

impl<'a> Expiration<'a> {
    /// Milliseconds or seconds from now on.
    pub(super) fn after(number: &'a [u8], unit: Unit) -> Expiration<'a> {
        Expiration {
            number,
            unit,
            base: Base::Now,
        }
    }

    /// Takes one of the options with its number, if it comes next.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Option<Expiration<'a>>, CmdError> {
        let options = [
            ("EX", Unit::Seconds, Base::Now),
            ("PX", Unit::Milliseconds, Base::Now),
            ("EXAT", Unit::Seconds, Base::Epoch),
            ("PXAT", Unit::Milliseconds, Base::Epoch),
        ];
        for (option, unit, base) in options {
            if args.keyword_with_value(option) {
                let number = args.required()?;
                return Ok(Some(Expiration { number, unit, base }));
            }
        }
        Ok(None)
    }

    /// The point in time; `command` is the name that stands in errors.
    pub(super) fn resolve(&self, now: UnixMs, command: &'static str) -> Result<UnixMs, CmdError> {
        let number = parse_i64(self.number).ok_or(CmdError::NotAnInteger)?;
        if number <= 0 {
            return Err(CmdError::InvalidExpire(command));
        }
        expiry_ms(number, self.unit, self.base, now).ok_or(CmdError::InvalidExpire(command))
    }
}
