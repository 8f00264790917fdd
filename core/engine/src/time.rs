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
        UnixMs(self.unix_us.div_euclid(1000))
    }

    /// The time of day as the number that stream IDs are made of; never negative.
    #[inline]
    pub const fn stream_ms(self) -> u64 {
        if self.unix_us < 0 {
            0
        } else {
            (self.unix_us / 1000) as u64
        }
    }
}

impl UnixMs {
    /// This time moved by a number of milliseconds, held at the ends of the range.
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
