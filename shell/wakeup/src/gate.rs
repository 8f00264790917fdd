//! What was released, told to a thread that waits for some of it.

use std::fmt;

use crate::Wake;
use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering, fence};

/// The gate of one thread, which keeps by itself what waits. Numbers are released in order; the
/// first is 1.
pub struct Gate {
    shared: Arc<Shared>,
}

/// The other side of a [`Gate`]: for the thread that releases.
pub struct Releaser {
    shared: Arc<Shared>,
}

struct Shared {
    released: AtomicU64,
    /// Nothing will be released soon.
    refuses: AtomicBool,
    /// The lowest number that the thread sleeps for; 0 if it does not.
    awaited: AtomicU64,
    wake: Wake,
}

/// What a gate knows of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was released.
    Released,
    /// It was not, and will not be soon.
    Refused,
}

impl Gate {
    /// A gate for a thread that `wake` wakes. It is called by the thread that releases.
    pub fn new(wake: Wake) -> Gate {
        Gate {
            shared: Arc::new(Shared {
                released: AtomicU64::new(0),
                refuses: AtomicBool::new(false),
                awaited: AtomicU64::new(0),
                wake,
            }),
        }
    }

    /// What the thread that releases gets.
    pub fn releaser(&self) -> Releaser {
        Releaser {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Returns whether this number was released.
    #[inline]
    pub fn is_open_for(&self, number: u64) -> bool {
        self.released() >= number
    }

    /// The highest number that was released.
    #[inline]
    pub fn released(&self) -> u64 {
        self.shared.released.load(Ordering::Acquire)
    }

    /// What is known of this number; none while that is soon to be seen.
    pub fn answer(&self, number: u64) -> Option<Answer> {
        if self.is_open_for(number) {
            Some(Answer::Released)
        } else if self.refuses() {
            Some(Answer::Refused)
        } else {
            None
        }
    }

    /// Returns whether nothing will be released soon.
    pub fn refuses(&self) -> bool {
        self.shared.refuses.load(Ordering::Acquire)
    }

    /// Asks to be woken when there is an answer for `number`, the lowest that the thread waits for.
    /// Returns whether the thread may sleep: there is none yet.
    pub fn may_sleep(&self, number: u64) -> bool {
        // The thread says first what it waits for and then looks; the other releases first and then
        // looks who waits. Each has a fence between its two steps, so at least one of them sees
        // what the other did.
        self.shared.awaited.store(number, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.answer(number).is_none()
    }

    /// The thread is awake and needs nobody to wake it.
    pub fn awake(&self) {
        self.shared.awaited.store(0, Ordering::Relaxed);
    }
}

impl Releaser {
    /// Everything up to this number is released.
    pub fn release(&self, up_to: u64) {
        self.shared.released.store(up_to, Ordering::Release);
        // See `Gate::may_sleep`.
        fence(Ordering::SeqCst);
        let awaited = self.shared.awaited.load(Ordering::Relaxed);
        if awaited != 0 && awaited <= up_to {
            (self.shared.wake)();
        }
    }

    /// Wakes the thread if it sleeps, whatever it waits for: something else than what was released
    /// has changed.
    pub fn nudge(&self) {
        // See `Gate::may_sleep`.
        fence(Ordering::SeqCst);
        if self.shared.awaited.load(Ordering::Relaxed) != 0 {
            (self.shared.wake)();
        }
    }

    /// Tells the threads that wait whether nothing will be released soon.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::Release);
        if refuses {
            (self.shared.wake)();
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl fmt::Debug for Releaser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Releaser").finish_non_exhaustive()
    }
}
