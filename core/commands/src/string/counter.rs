//! Numbers that strings count in: integers of 64 bits, and floating-point numbers of 80.

use engine::args::parse_i64;
use engine::error::{CmdError, CounterError};
use engine::store::effect::{Event, event};
use resp::Reply;
use rustc_apfloat::Float;
use values::StringValue;

use crate::float::{Number, format_float, parse_float};

/// A kind of numbers.
pub(super) trait Counter: Copy + PartialOrd {
    const ZERO: Self;
    const EVENTS: &'static Events;

    fn least() -> Self;

    fn greatest() -> Self;

    /// The number in a string.
    fn of(string: &StringValue) -> Result<Self, CmdError>;

    /// The bound that an option of this name gives.
    fn bound(text: &[u8], option: &'static str) -> Result<Self, CmdError>;

    /// The sum, or where it is.
    ///
    /// # Errors
    /// It is no number.
    fn plus(self, by: Self) -> Result<Sum<Self>, CmdError>;

    /// What has to be added to `other`.
    ///
    /// # Errors
    /// That is beyond the numbers of this kind.
    fn minus(self, other: Self) -> Result<Self, CmdError>;

    /// Calls `f` with the number as it is in a string.
    fn with_text(self, f: impl FnOnce(&[u8]));

    fn write(self, reply: &mut Reply);
}

/// A sum, which may be beyond the numbers of its kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sum<N> {
    /// It is not.
    Number(N),
    /// It is below all of them.
    Below,
    /// It is above all of them.
    Above,
}

/// What is told of a number that grew.
pub(super) struct Events {
    /// That alone.
    pub(super) added: &'static Event,
    /// And that the key has got an expiry.
    pub(super) added_and_expires: &'static Event,
    /// And that it has none any more.
    pub(super) added_and_persists: &'static Event,
}

impl Counter for i64 {
    const ZERO: i64 = 0;
    const EVENTS: &'static Events = &Events {
        added: event::INCRBY,
        added_and_expires: event::INCRBY_EXPIRE,
        added_and_persists: event::INCRBY_PERSIST,
    };

    fn least() -> i64 {
        i64::MIN
    }

    fn greatest() -> i64 {
        i64::MAX
    }

    fn of(string: &StringValue) -> Result<i64, CmdError> {
        string.as_integer().ok_or(CmdError::NotAnInteger)
    }

    fn bound(text: &[u8], option: &'static str) -> Result<i64, CmdError> {
        Ok(parse_i64(text).ok_or(CounterError::BoundNotAnInteger(option))?)
    }

    fn plus(self, by: i64) -> Result<Sum<i64>, CmdError> {
        Ok(match self.checked_add(by) {
            Some(sum) => Sum::Number(sum),
            None if by < 0 => Sum::Below,
            None => Sum::Above,
        })
    }

    fn minus(self, other: i64) -> Result<i64, CmdError> {
        self.checked_sub(other).ok_or(CmdError::Overflow)
    }

    fn with_text(self, f: impl FnOnce(&[u8])) {
        f(itoa::Buffer::new().format(self).as_bytes());
    }

    fn write(self, reply: &mut Reply) {
        reply.int(self);
    }
}

impl Counter for Number {
    const ZERO: Number = <Number as Float>::ZERO;
    const EVENTS: &'static Events = &Events {
        added: event::INCRBYFLOAT,
        added_and_expires: event::INCRBYFLOAT_EXPIRE,
        added_and_persists: event::INCRBYFLOAT_PERSIST,
    };

    fn least() -> Number {
        -Number::largest()
    }

    fn greatest() -> Number {
        Number::largest()
    }

    fn of(string: &StringValue) -> Result<Number, CmdError> {
        string.with_bytes(parse_float).ok_or(CmdError::NotAFloat)
    }

    fn bound(text: &[u8], option: &'static str) -> Result<Number, CmdError> {
        let bound = parse_float(text).ok_or(CounterError::BoundNotAFloat(option))?;
        Ok(match bound.is_infinite() {
            true if bound.is_negative() => Number::least(),
            true => Number::greatest(),
            false => bound,
        })
    }

    fn plus(self, by: Number) -> Result<Sum<Number>, CmdError> {
        if !self.is_finite() || !by.is_finite() {
            return Err(CmdError::NotFinite);
        }
        let sum = (self + by).value;
        Ok(match sum.is_finite() {
            true => Sum::Number(sum),
            false if sum.is_negative() => Sum::Below,
            false => Sum::Above,
        })
    }

    fn minus(self, other: Number) -> Result<Number, CmdError> {
        let by = (self - other).value;
        by.is_finite().then_some(by).ok_or(CmdError::NotFinite)
    }

    fn with_text(self, f: impl FnOnce(&[u8])) {
        f(format_float(self).as_bytes());
    }

    fn write(self, reply: &mut Reply) {
        reply.double_digits(format_float(self).as_bytes());
    }
}
