//! When keys expire: numbers that clients give as points in time.

use engine::UnixMs;

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// What a number is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// The time of the command.
    Now,
    /// The beginning of Unix time.
    Epoch,
}

/// The point in time that a number means; `None` if it cannot be represented.
pub(crate) fn expiry_ms(number: i64, unit: Unit, base: Base, now: UnixMs) -> Option<UnixMs> {
    let ms = match unit {
        Unit::Seconds => number.checked_mul(1000)?,
        Unit::Milliseconds => number,
    };
    match base {
        Base::Now => ms.checked_add(now.0).map(UnixMs),
        Base::Epoch => Some(UnixMs(ms)),
    }
}
