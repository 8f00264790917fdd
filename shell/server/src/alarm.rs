//! When the timer looks next, and who gets it to look earlier.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use engine::Mono;

use crate::inbox::Inbox;

/// The timer's alarm clock.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// In milliseconds of the monotonic clock.
    at: AtomicU64,
    /// The thread that the timer runs on; none before it runs.
    thread: OnceLock<Arc<Inbox>>,
}

impl Default for Alarm {
    /// One that goes off at once.
    fn default() -> Alarm {
        Alarm {
            at: AtomicU64::new(0),
            thread: OnceLock::new(),
        }
    }
}

impl Alarm {
    /// Says which thread is to be woken. Only the first time counts.
    pub(crate) fn wakes(&self, thread: Arc<Inbox>) {
        self.thread.get_or_init(|| thread);
    }

    /// When it goes off.
    pub(crate) fn at(&self) -> Mono {
        Mono(self.at.load(Ordering::Acquire))
    }

    /// It went off: the timer begins to look at everything, and will see what it is rung for until now.
    pub(crate) fn begin_look(&self) {
        self.at.store(u64::MAX, Ordering::Release);
    }

    /// Lets it go off at this moment, or before. Whether that is earlier than it would have.
    pub(crate) fn set(&self, at: Mono) -> bool {
        self.at.load(Ordering::Acquire) > at.0 && self.at.fetch_min(at.0, Ordering::AcqRel) > at.0
    }

    /// The same, from another thread than the timer's.
    pub(crate) fn set_from_outside(&self, at: Mono) {
        if self.set(at)
            && let Some(thread) = self.thread.get()
        {
            thread.wake();
        }
    }

    /// Lets it go off now.
    pub(crate) fn ring(&self) {
        self.set_from_outside(Mono(0));
    }
}
