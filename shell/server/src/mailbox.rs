//! What other tasks leave for a connection: replies to blocked requests, pushes, orders to close.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use engine::Lsn;
use engine::node::{Delivery, Then};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The letters of one connection, and the bells that tell of them.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    letters: Mutex<Letters>,
    /// Looked at before each read of a connection: no lock, no list of who waits.
    has_letters: AtomicBool,
    reader: AtomicWaker,
    close_bell: Notify,
}

/// What lay in a mailbox.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    /// For the wire, in order.
    pub(crate) bytes: Vec<u8>,
    /// The batch that must be durable before they leave.
    pub(crate) depends_on: Lsn,
    /// The connection's wait is over.
    pub(crate) resume: bool,
    /// The connection ends after the bytes.
    pub(crate) close: bool,
}

impl Mailbox {
    /// Leaves a delivery. A client that lets more than `limit` bytes pile up is closed.
    pub(crate) fn post(&self, delivery: &Delivery, limit: usize) {
        let mut letters = self.letters.lock();
        letters.bytes.extend_from_slice(&delivery.bytes);
        letters.depends_on = letters.depends_on.max(delivery.depends_on);
        letters.resume |= delivery.then == Then::Resume;
        letters.close |= delivery.then == Then::Close || letters.bytes.len() > limit;
        let close = letters.close;
        drop(letters);
        if close {
            self.close_bell.notify_one();
        }
        self.has_letters.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Bytes that wait in it.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.letters.lock().bytes.len()
    }

    /// Takes what is there.
    pub(crate) fn collect(&self) -> Letters {
        std::mem::take(&mut *self.letters.lock())
    }

    /// Waits until the connection is to be closed, for one that waits for its socket.
    pub(crate) async fn close_asked(&self) {
        self.close_bell.notified().await;
    }

    /// Ready when something may be there, once for each time. Only the connection itself may wait.
    pub(crate) fn poll_letters(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.has_letters.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            // A letter that was posted meanwhile found the waker or is seen here.
            if !self.has_letters.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        self.has_letters.store(false, Ordering::Relaxed);
        Poll::Ready(())
    }
}
