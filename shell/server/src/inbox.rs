//! What others leave for a thread that serves connections, and how they wake it.

use std::sync::atomic::{AtomicBool, Ordering};

use engine::node::Delivery;
use mio::Waker;
use parking_lot::Mutex;

use crate::socket::Socket;

/// Something for a thread.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A connection that the thread is to serve.
    Accepted(Socket),
    /// Bytes for one of its connections, by the connection's place.
    Delivery(usize, Delivery),
    /// The server stops.
    Stop,
}

/// The letters of one thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    letters: Mutex<Vec<Letter>>,
    /// Looked at in each turn of the thread, without the lock.
    has_letters: AtomicBool,
    waker: Waker,
}

impl Inbox {
    /// An empty inbox for the thread that `waker` wakes.
    pub(crate) fn new(waker: Waker) -> Inbox {
        Inbox {
            letters: Mutex::default(),
            has_letters: AtomicBool::new(false),
            waker,
        }
    }

    /// Leaves a letter, and wakes the thread unless somebody did since it looked.
    pub(crate) fn post(&self, letter: Letter) {
        self.letters.lock().push(letter);
        if !self.has_letters.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Leaves several, in order, and wakes the thread once.
    pub(crate) fn post_all(&self, letters: &mut Vec<Letter>) {
        self.letters.lock().append(letters);
        if !self.has_letters.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Ends the thread's sleep, or lets it not fall asleep.
    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "an I/O thread cannot be woken");
        }
    }

    /// Moves what is there behind what the thread has, in the order in which it was posted.
    pub(crate) fn collect(&self, letters: &mut Vec<Letter>) {
        // What is posted between the two lines wakes the thread for nothing, which is better than not at all.
        if self.has_letters.load(Ordering::Acquire) {
            self.has_letters.store(false, Ordering::Release);
            letters.append(&mut self.letters.lock());
        }
    }
}
