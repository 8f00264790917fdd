//! The steady clock of this machine.
//!
//! A lease must not last longer because the machine was asleep. So this is the clock that goes on
//! meanwhile, and not the one of [`std::time::Instant`], which stands still on Linux.

use std::time::Duration;

use replication::Steady;
use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// Where there is no other: on macOS it goes on while the machine sleeps.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// What the steady clock of this machine shows. It goes on while the machine sleeps.
pub fn now() -> Steady {
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Steady(Duration::from_secs(seconds) + Duration::from_nanos(nanos(time.tv_nsec)))
}

/// How long it is until then.
pub(crate) fn until(at: Steady) -> Duration {
    at.0.saturating_sub(now().0)
}

fn nanos(nsec: impl TryInto<u64>) -> u64 {
    nsec.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_clock_runs_as_fast_as_that_of_the_standard_library() {
        let (begun, instant) = (now(), Instant::now());
        let wait = Duration::from_millis(20);
        std::thread::sleep(wait);
        let (elapsed, other) = (now().0 - begun.0, instant.elapsed());
        assert!(elapsed >= wait, "{elapsed:?}");
        assert!(elapsed <= other + wait, "{elapsed:?} and {other:?}");
        assert_eq!(until(begun), Duration::ZERO);
    }
}
