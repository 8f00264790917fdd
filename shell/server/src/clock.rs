//! The one place that reads the clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::{Mono, Now};

/// Reads the time of day and the clock that never steps back.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    zero: Instant,
}

impl Clock {
    /// A clock whose monotonic part begins now.
    pub fn start() -> Clock {
        Clock {
            zero: Instant::now(),
        }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        self.now_measured().0
    }

    /// Both clocks, and a stopwatch that begins now.
    pub(crate) fn now_measured(&self) -> (Now, Stopwatch) {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let lap_ns = self.elapsed_ns();
        let now = Now {
            unix_us: i64::try_from(unix.as_micros()).unwrap_or(i64::MAX),
            mono: Mono(lap_ns / 1_000_000),
        };
        let stopwatch = Stopwatch {
            clock: *self,
            made_ns: lap_ns,
            begun_ns: lap_ns,
            lap_ns,
        };
        (now, stopwatch)
    }

    /// Nanoseconds of the clock that never steps back; enough for five hundred years.
    #[inline]
    fn elapsed_ns(&self) -> u64 {
        self.zero.elapsed().as_nanos() as u64
    }

    /// Returns how long it is until a moment.
    pub fn until(&self, at: Mono) -> Duration {
        Duration::from_millis(at.0).saturating_sub(self.zero.elapsed())
    }
}

/// Measures commands one after the other: where one ends, the next begins.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    clock: Clock,
    made_ns: u64,
    begun_ns: u64,
    lap_ns: u64,
}

impl Stopwatch {
    /// Nanoseconds since the last time, or since the stopwatch was made.
    #[inline]
    pub(crate) fn lap_ns(&mut self) -> u64 {
        let now_ns = self.clock.elapsed_ns();
        now_ns.saturating_sub(std::mem::replace(&mut self.lap_ns, now_ns))
    }

    /// Nanoseconds since the stopwatch was made.
    #[inline]
    pub(crate) fn total_ns(&self) -> u64 {
        self.clock.elapsed_ns().saturating_sub(self.made_ns)
    }

    /// Nanoseconds from then to the end of the last lap. No clock is read.
    #[inline]
    pub(crate) fn total_of_laps_ns(&self) -> u64 {
        self.lap_ns.saturating_sub(self.made_ns)
    }

    /// The time since the stopwatch was made.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total_ns())
    }

    /// Returns whether the last lap ended so long after the start that the time read at the start
    /// is out of date. If so, the end of that lap becomes the new start.
    #[inline]
    pub(crate) fn outran_the_clock(&mut self) -> bool {
        let outran = self.lap_ns - self.begun_ns >= CLOCK_AGE_NS_MAX;
        if outran {
            self.begun_ns = self.lap_ns;
        }
        outran
    }
}

/// How old the time that requests of different connections get may be, in nanoseconds.
const CLOCK_AGE_NS_MAX: u64 = 1_000_000;
