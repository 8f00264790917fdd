//! Time as the core sees it: an argument, the same for a whole command or transaction.

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMs(pub i64);

/// Milliseconds of a clock that never steps back; its zero is arbitrary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

/// One reading of both clocks. The shell reads them once for all commands that arrived together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Microseconds since the Unix epoch.
    pub unix_us: i64,
    /// The clock for deadlines.
    pub mono: Mono,
}

impl Now {
    /// The time of day in milliseconds.
    #[inline]
    pub const fn unix(self) -> UnixMs {
        if self.unix_us < 0 {
            return UnixMs(self.unix_us.div_euclid(1000));
        }
        // Without a sign this is half the work.
        UnixMs((self.unix_us.cast_unsigned() / 1000).cast_signed())
    }

    /// The time of day in seconds, 0 if it is out of their range: [`UnixMs::seconds`] by one
    /// division.
    #[inline]
    pub(crate) fn unix_s(self) -> u32 {
        u32::try_from(self.unix_us / 1_000_000).unwrap_or(0)
    }

    /// The time of day as the number that stream IDs are made of; never negative.
    #[inline]
    pub const fn stream_ms(self) -> u64 {
        if self.unix_us < 0 {
            0
        } else {
            self.unix_us.cast_unsigned() / 1000
        }
    }

    /// When the clock for deadlines reaches a time of day; now if that has passed. Files may hold
    /// any time, so the result is clamped to the range.
    pub(crate) fn mono_at(self, at: UnixMs) -> Mono {
        let wait_ms = at.0.saturating_sub(self.unix().0);
        self.mono.plus(u64::try_from(wait_ms).unwrap_or(0))
    }
}

impl UnixMs {
    /// The time in seconds, 0 if it is out of their range.
    #[inline]
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(0)
    }

    /// Milliseconds since the epoch; 0 before it.
    #[inline]
    pub const fn since_epoch(self) -> u64 {
        if self.0 < 0 { 0 } else { self.0 as u64 }
    }

    /// This time moved by a number of milliseconds, clamped to the range.
    #[must_use]
    pub const fn plus(self, ms: i64) -> UnixMs {
        UnixMs(self.0.saturating_add(ms))
    }
}

impl Mono {
    /// This time moved on by a number of milliseconds.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Mono {
        Mono(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_at_the_ends_of_the_range_neither_panic_nor_wrap() {
        for unix_us in [i64::MIN, -1, 0, 1_790_000_000_000_000, i64::MAX] {
            for mono in [Mono(0), Mono(7), Mono(u64::MAX)] {
                let now = Now { unix_us, mono };
                assert_eq!(now.mono_at(UnixMs(i64::MIN)), mono);
                assert_eq!(now.mono_at(now.unix()), mono);
                assert_eq!(now.mono_at(now.unix().plus(5)), mono.plus(5));
                let wait_ms = i64::MAX.saturating_sub(now.unix().0) as u64;
                assert_eq!(now.mono_at(UnixMs(i64::MAX)), mono.plus(wait_ms));
            }
        }
    }
}
