//! What other threads leave for a thread that serves connections.

use std::sync::mpsc::Sender;
use std::time::Duration;

use engine::Lsn;
use engine::clients::delivery::{Delivery, Shared};
use engine::clients::session::SessionId;
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
    /// The same bytes for many of its connections.
    Broadcast(ToMany),
    /// Other addresses to listen on, for the thread that accepts.
    Rebind(Rebind),
    /// How long new connections may be silent, for the thread that accepts.
    Keepalive(Duration),
    /// Replies that wait for the journal get their answer now. Dropping the sender says that they
    /// have.
    Answer(Sender<()>),
    /// The server stops.
    Stop,
}

/// The same bytes for many connections of one thread.
#[derive(Debug)]
pub(crate) struct ToMany {
    /// Their places, and who was there.
    pub(crate) to: Vec<(usize, SessionId)>,
    /// What they get.
    pub(crate) bytes: Shared,
    /// The batch that must be durable before it leaves.
    pub(crate) depends_on: Lsn,
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
