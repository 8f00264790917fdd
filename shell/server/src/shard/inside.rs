//! What a thread of the same process may do with a shard: look at it, and be one of its clients.
//!
//! The console is such a thread. It acts only as a client does, by requests that go through
//! connection, admission and journal like any other; so nothing here changes the engine.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{Engine, Now};
use rustls::ServerConfig;

use super::Shard;
use crate::mailbox::Message;
use crate::socket::Socket;

/// Whose turn it is to serve a client from inside of the process.
#[derive(Debug, Default)]
pub(super) struct Turn(AtomicUsize);

impl Shard {
    /// Looks at the engine under the lock. Every client waits meanwhile, so `look` does no more
    /// than copy figures and take frozen views; and a panic in it ends the process.
    pub fn look<R>(&self, look: impl FnOnce(&Engine, Now) -> R) -> R {
        let guard = self.lock();
        look(&guard.engine, self.clock.now())
    }

    /// Returns whether the server is about to end.
    pub fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Connects as a client does, without an address. The threads that serve clients take such
    /// connections in turn.
    ///
    /// # Errors
    /// Those of the system; [`io::ErrorKind::NotConnected`] before the server serves clients.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        theirs.set_nonblocking(true)?;
        let socket = Socket::Unix(mio::net::UnixStream::from_std(theirs));
        let guard = self.lock();
        let turn = self.turn.0.fetch_add(1, Ordering::Relaxed);
        let mailboxes = &guard.mailboxes;
        let mailbox = mailboxes
            .get(turn.checked_rem(mailboxes.len()).unwrap_or_default())
            .ok_or(io::ErrorKind::NotConnected)?;
        mailbox.post(Message::Accepted(socket));
        Ok(ours)
    }

    /// What clients of TLS are shown now; none without `tls-port`.
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.identity.get().map(|identity| identity.config())
    }
}
