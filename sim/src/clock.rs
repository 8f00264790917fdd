//! Virtual time. It passes only when the run says so.

use std::time::Duration;

use journal::Elapsed;

/// The clocks of a simulated machine: one that never goes back, and the wall's, which may.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    elapsed: Duration,
    unix_ms: u64,
}

impl Clock {
    /// Clocks of a machine that was switched on at this wall time, in milliseconds since 1970.
    pub fn new(unix_ms: u64) -> Self {
        Clock {
            elapsed: Duration::ZERO,
            unix_ms,
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.elapsed += by;
        self.unix_ms += u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    }

    /// Sets the wall clock, as an administrator or a time server does.
    pub fn set_unix_ms(&mut self, unix_ms: u64) {
        self.unix_ms = unix_ms;
    }

    /// Time since the machine was switched on.
    pub fn elapsed(&self) -> Elapsed {
        Elapsed::new(self.elapsed)
    }

    /// Wall time in milliseconds since 1970.
    pub fn unix_ms(&self) -> u64 {
        self.unix_ms
    }
}
