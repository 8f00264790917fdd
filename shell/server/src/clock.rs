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
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Now {
            unix_us: i64::try_from(unix.as_micros()).unwrap_or(i64::MAX),
            mono: Mono(self.zero.elapsed().as_millis() as u64),
        }
    }

    /// How long it is until a moment.
    pub fn until(&self, at: Mono) -> Duration {
        Duration::from_millis(at.0).saturating_sub(self.zero.elapsed())
    }
}
