//! When fields of a hash expire: numbers that clients give as points in time.

use engine::args::{Args, parse_i64};
use engine::error::CmdError;
use engine::{Now, UnixMs};
use values::FIELD_DEADLINE_MS_MAX;

use crate::key::expiry::{Base, Unit, expiry_ms};

/// A point in time, which depends on the time of the command if the number counts from there.
#[derive(Clone, Copy)]
pub(super) struct Until {
    number: i64,
    unit: Unit,
    base: Base,
}

impl Until {
    pub(super) fn new(number: i64, unit: Unit, base: Base) -> Result<Until, CmdError> {
        match number {
            ..0 => Err(CmdError::NegativeExpire),
            _ => Ok(Until { number, unit, base }),
        }
    }

    /// Reads `EX seconds`, `PX milliseconds`, `EXAT unix-time-seconds` or
    /// `PXAT unix-time-milliseconds`; `None` if something else comes next.
    pub(super) fn parse(args: &mut Args<'_>) -> Option<Result<Until, CmdError>> {
        let words = [
            ("EX", Unit::Seconds, Base::Now),
            ("PX", Unit::Milliseconds, Base::Now),
            ("EXAT", Unit::Seconds, Base::Epoch),
            ("PXAT", Unit::Milliseconds, Base::Epoch),
        ];
        let found = words.into_iter().find(|(word, ..)| args.keyword(word));
        let (_, unit, base) = found?;
        let number = args.next().ok_or(CmdError::MissingExpire);
        let number = number.and_then(|text| parse_i64(text).ok_or(CmdError::NotAnInteger));
        Some(number.and_then(|number| Until::new(number, unit, base)))
    }

    /// In milliseconds since the epoch, for the command of this name.
    pub(super) fn deadline_ms(self, now: Now, name: &'static str) -> Result<u64, CmdError> {
        let at = expiry_ms(self.number, self.unit, self.base, now.unix());
        let at = at.map(UnixMs::since_epoch);
        at.filter(|at| *at <= FIELD_DEADLINE_MS_MAX)
            .ok_or(CmdError::InvalidExpire(name))
    }
}
