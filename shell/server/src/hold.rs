//! How long requests run under one hold of the shard's lock.
//!
//! What is read at once is bounded in bytes, and so are its replies. That bounds the time as long
//! as requests are cheap, but a few bytes can ask for much. A request that may have taken long is
//! measured, and others are in groups; the end of each such lap says how long the hold lasts, so no
//! clock is read for that alone. Requests that are in no lap, because they were refused or queued,
//! are counted.

use crate::clock::Stopwatch;
use crate::limits::{HOLD_LOOK_REQUESTS_MAX, HOLD_NS_MAX};

/// The requests of one connection under a hold of the lock.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    /// How many requests ran since it was known how long the hold lasts.
    unlooked: u32,
}

impl Hold {
    /// A request has run, and more are there. Returns whether they have to wait for the next hold.
    /// `ended_lap` says whether a lap of the stopwatch ended with the request.
    #[inline]
    pub(crate) fn is_over(&mut self, ended_lap: bool, stopwatch: &Stopwatch) -> bool {
        if ended_lap {
            self.unlooked = 0;
            return stopwatch.total_of_laps_ns() >= HOLD_NS_MAX;
        }
        self.unlooked += 1;
        if self.unlooked < HOLD_LOOK_REQUESTS_MAX {
            return false;
        }
        self.unlooked = 0;
        stopwatch.total_ns() >= HOLD_NS_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::clock::Clock;

    /// A stopwatch after a lap that took as long as a hold may last.
    fn after_a_long_lap() -> Stopwatch {
        let (_, mut stopwatch) = Clock::start().now_measured();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_nanos(HOLD_NS_MAX) {
            std::hint::spin_loop();
        }
        let _ = stopwatch.lap_ns();
        stopwatch
    }

    #[test]
    fn a_long_lap_ends_a_hold_and_short_ones_do_not() {
        let (_, stopwatch) = Clock::start().now_measured();
        assert!(!Hold::default().is_over(true, &stopwatch));
        assert!(Hold::default().is_over(true, &after_a_long_lap()));
    }

    #[test]
    fn requests_that_are_not_measured_end_a_hold_too() {
        let stopwatch = after_a_long_lap();
        let mut hold = Hold::default();
        for _ in 0..3 {
            for _ in 1..HOLD_LOOK_REQUESTS_MAX {
                assert!(!hold.is_over(false, &stopwatch));
            }
            assert!(hold.is_over(false, &stopwatch));
        }
    }
}
