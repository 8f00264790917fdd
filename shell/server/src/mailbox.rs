//! What other threads leave for a thread that serves connections.

use std::time::Duration;

use engine::clients::delivery::Delivery;
use mio::Waker;

use crate::accept::Rebind;
use crate::socket::Socket;

/// Something for a thread.
#[derive(Debug)]
pub(crate) enum Message {
    /// A connection that the thread is to serve.
    Accepted(Socket),
    /// Bytes for one of its connections, by the connection's place.
    Delivery(usize, Delivery),
    /// Other addresses to listen on, for the thread that accepts.
    Rebind(Rebind),
    /// How long new connections may be silent, for the thread that accepts.
    Keepalive(Duration),
    /// The server stops.
    Stop,
}

/// The messages of one thread.
pub(crate) type Mailbox = wakeup::Mailbox<Message>;

/// An empty mailbox for the thread that `waker` wakes.
pub(crate) fn for_thread(waker: Waker) -> Mailbox {
    Mailbox::new(Box::new(move || {
        if let Err(error) = waker.wake() {
            tracing::error!(%error, "an I/O thread cannot be woken");
        }
    }))
}
