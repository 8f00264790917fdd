//! Accepting connections.

use std::io;
use std::time::Duration;

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};

use crate::listen::{Listeners, Transport};
use crate::socket::Socket;
use crate::tls::IdentitySlot;

mod rebind;

pub(crate) use rebind::Rebind;

/// Listeners that are being served.
pub(crate) struct Acceptor {
    /// Each in its place, from which its token follows; places of listeners that were closed are
    /// empty.
    listeners: Vec<Option<Listener>>,
    /// The token just above that of the first place; the others follow below.
    end: usize,
    keepalive: Duration,
    /// The system refused a connection (because it has no file descriptors left, for example) and
    /// must be asked again.
    refused: bool,
}

enum Listener {
    Tcp(Transport, TcpListener),
    Unix(UnixListener),
}

impl Acceptor {
    /// Takes over listeners. TCP connections are probed when they have been silent for `keepalive`;
    /// never if that is zero.
    pub(crate) fn new(listeners: Listeners, keepalive: Duration) -> Acceptor {
        let tcp = listeners.tcp.into_iter();
        let tcp = tcp
            .map(|(transport, listener)| Listener::Tcp(transport, TcpListener::from_std(listener)));
        let unix = listeners.unix.into_iter();
        let unix = unix.map(|(listener, _)| Listener::Unix(UnixListener::from_std(listener)));
        Acceptor {
            listeners: tcp.chain(unix).map(Some).collect(),
            end: 0,
            keepalive,
            refused: false,
        }
    }

    /// Asks for events, with the tokens just below `end`.
    pub(crate) fn register(&mut self, registry: &Registry, end: Token) -> io::Result<()> {
        self.end = end.0;
        for (place, listener) in self.listeners.iter_mut().enumerate() {
            if let Some(listener) = listener {
                listener.register(registry, token_of(self.end, place))?;
            }
        }
        Ok(())
    }

    /// Has connections from now on probed when they were silent for that long.
    pub(crate) fn set_keepalive(&mut self, keepalive: Duration) {
        self.keepalive = keepalive;
    }

    /// The tokens of the listeners.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> + use<> {
        let end = self.end;
        (0..self.listeners.len()).map(move |place| token_of(end, place))
    }

    /// Returns whether the system refused a connection that may still be there.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused
    }

    /// All connections that wait at the listener with this token, if it is one. Those of TLS are
    /// shown `identity`.
    pub(crate) fn accept(
        &mut self,
        token: Token,
        identity: &IdentitySlot,
    ) -> impl Iterator<Item = Socket> {
        let place = self.end.checked_sub(token.0.saturating_add(1));
        let listener = place.and_then(|place| self.listeners.get(place)?.as_ref());
        let (keepalive, refused) = (self.keepalive, &mut self.refused);
        std::iter::from_fn(move || {
            loop {
                match listener?.accept(keepalive, identity) {
                    Ok(socket) => {
                        *refused = false;
                        return Some(socket);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        *refused = false;
                        return None;
                    }
                    // This one has gone again; the next may be there.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        if !std::mem::replace(refused, true) {
                            tracing::warn!(%error, "cannot accept a connection; trying again");
                        }
                        return None;
                    }
                }
            }
        })
    }
}

impl Listener {
    fn accept(&self, keepalive: Duration, identity: &IdentitySlot) -> io::Result<Socket> {
        match self {
            Listener::Tcp(Transport::Plain, listener) => {
                Socket::tcp(listener.accept()?.0, keepalive)
            }
            Listener::Tcp(Transport::Tls, listener) => {
                let (stream, _) = listener.accept()?;
                // TLS was turned off meanwhile, and the listener goes next.
                let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
                Socket::tls(stream, keepalive, &identity.get().ok_or_else(gone)?)
            }
            Listener::Unix(listener) => Ok(Socket::Unix(listener.accept()?.0)),
        }
    }

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Tcp(_, listener) => registry.register(listener, token, Interest::READABLE),
            Listener::Unix(listener) => registry.register(listener, token, Interest::READABLE),
        }
    }
}

/// The token of the listener in a place.
fn token_of(end: usize, place: usize) -> Token {
    Token(end - 1 - place)
}
