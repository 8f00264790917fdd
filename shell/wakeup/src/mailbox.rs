//! What others leave for a thread, and how they wake it.

use std::fmt;

use crate::Wake;
use crate::sync::{AtomicBool, Mutex, Ordering};

/// Things for one thread, in the order in which they were left.
pub struct Mailbox<T> {
    items: Mutex<Vec<T>>,
    /// Looked at in each turn of the thread, without the lock.
    has_items: AtomicBool,
    wake: Wake,
}

impl<T> Mailbox<T> {
    /// An empty mailbox for the thread that `wake` wakes. The thread must not go back to sleep
    /// after it was woken without a [`collect`](Mailbox::collect).
    pub fn new(wake: Wake) -> Mailbox<T> {
        Mailbox {
            items: Mutex::default(),
            has_items: AtomicBool::new(false),
            wake,
        }
    }

    /// Leaves something, and wakes the thread unless somebody did since it looked.
    pub fn post(&self, item: T) {
        self.items.lock().push(item);
        self.wake_once();
    }

    /// Leaves all of `items`, in order, and wakes the thread at most once.
    pub fn post_all(&self, items: &mut Vec<T>) {
        self.items.lock().append(items);
        self.wake_once();
    }

    /// Ends the thread's sleep, or keeps it from falling asleep.
    pub fn wake(&self) {
        (self.wake)();
    }

    /// Moves what is there behind what the thread has.
    pub fn collect(&self, items: &mut Vec<T>) {
        if self.has_items.load(Ordering::Acquire) {
            // The flag falls before the items are taken. An item that is left in between is taken
            // with the others, and wakes the thread once for nothing; in the other order it could
            // stay, and wake nobody.
            self.has_items.store(false, Ordering::Release);
            items.append(&mut self.items.lock());
        }
    }

    fn wake_once(&self) {
        if !self.has_items.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
