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
        let lap = Instant::now();
        let now = Now {
            unix_us: i64::try_from(unix.as_micros()).unwrap_or(i64::MAX),
            mono: Mono(lap.duration_since(self.zero).as_millis() as u64),
        };
        (now, Stopwatch { begun: lap, lap })
    }

    /// How long it is until a moment.
    pub fn until(&self, at: Mono) -> Duration {
        Duration::from_millis(at.0).saturating_sub(self.zero.elapsed())
    }
}

/// Measures commands one after the other: where one ends, the next begins.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    begun: Instant,
    lap: Instant,
}

impl Stopwatch {
    /// Nanoseconds since the last time, or since the stopwatch was made.
    #[inline]
    pub(crate) fn lap_ns(&mut self) -> u64 {
        let now = Instant::now();
        let lap = now.duration_since(self.lap);
        self.lap = now;
        u64::try_from(lap.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether the last lap ended so long after the begin that the time read then is not that of now. The begin is
    /// the end of that lap from then on.
    #[inline]
    pub(crate) fn outran_the_clock(&mut self) -> bool {
        let outran = self.lap.duration_since(self.begun) >= CLOCK_AGE_MAX;
        if outran {
            self.begun = self.lap;
        }
        outran
    }
}

/// How old the time may be that requests of different connections are told.
const CLOCK_AGE_MAX: Duration = Duration::from_millis(1);
