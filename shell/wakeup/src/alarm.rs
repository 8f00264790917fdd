//! When a thread looks next at what is due, and how others get it to look earlier.

use std::fmt;
use std::sync::OnceLock;

use crate::Wake;
use crate::sync::{AtomicU64, Ordering};

/// The alarm clock of one thread. Times are milliseconds of whatever steady clock its users share.
///
/// Deadlines themselves lie elsewhere, behind a lock. Whoever adds one sets the alarm for it, still
/// holding that lock. The thread calls [`begin_look`](Alarm::begin_look) before it takes the lock,
/// so a deadline is either seen by the look, or its alarm is set after the look began and stays.
pub struct Alarm {
    at_ms: AtomicU64,
    /// Wakes the thread; none before it runs.
    wake: OnceLock<Wake>,
}

impl Default for Alarm {
    /// An alarm that goes off at once.
    fn default() -> Alarm {
        Alarm {
            at_ms: AtomicU64::new(0),
            wake: OnceLock::new(),
        }
    }
}

impl Alarm {
    /// Says how the thread is woken. Only the first time counts.
    pub fn wakes(&self, wake: Wake) {
        self.wake.get_or_init(|| wake);
    }

    /// When it goes off.
    pub fn at_ms(&self) -> u64 {
        self.at_ms.load(Ordering::Acquire)
    }

    /// It went off: the thread begins to look, and needs no alarm for what it will see.
    ///
    /// This must come before the thread takes the lock. If it came after the look, it could erase
    /// an alarm that was set after the look, and the thread would sleep past that deadline.
    pub fn begin_look(&self) {
        self.at_ms.store(u64::MAX, Ordering::Release);
    }

    /// Sets the alarm, from the thread that it is for. An earlier one stays. Returns whether it
    /// goes off earlier now.
    pub fn set(&self, at_ms: u64) -> bool {
        // A load is cheaper than an exchange, and mostly shows that there is nothing to do. It may
        // see an alarm that the thread is just about to clear; then the look that follows sees the
        // deadline, because it was added under the lock that the look takes after clearing.
        self.at_ms.load(Ordering::Acquire) > at_ms
            && self.at_ms.fetch_min(at_ms, Ordering::AcqRel) > at_ms
    }

    /// The same from another thread, which wakes the alarm's own if it would sleep for too long.
    pub fn set_from_outside(&self, at_ms: u64) {
        if self.set(at_ms)
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }

    /// Lets it go off now.
    pub fn ring(&self) {
        self.set_from_outside(0);
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").finish_non_exhaustive()
    }
}
