//! Other addresses to listen on, while the server runs (`CONFIG SET bind`, `port`,
//! `tls-port`).
//!
//! The thread that accepts does it between two turns: what is new is opened before anything is
//! closed, so that a port that is in use leaves all as it was. Connections that are there stay.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use mio::Registry;
use mio::net::TcpListener;

use super::{Acceptor, Listener, token_of};
use crate::listen::{ListenError, Place, TcpAddress, Transport, listen_tcp, shown};

/// A request for other addresses.
#[derive(Debug)]
pub(crate) struct Rebind {
    addresses: Vec<TcpAddress>,
    backlog: i32,
    done: mpsc::Sender<Result<Vec<Place>, ListenError>>,
}

impl Rebind {
    /// A request, and the channel for its result: the addresses that are listened on.
    pub(crate) fn new(
        addresses: Vec<TcpAddress>,
        backlog: i32,
    ) -> (Rebind, mpsc::Receiver<Result<Vec<Place>, ListenError>>) {
        let (done, told) = mpsc::channel();
        let change = Rebind {
            addresses,
            backlog,
            done,
        };
        (change, told)
    }

    /// Does it, all or nothing.
    pub(crate) fn carry_out(self, acceptor: &mut Acceptor, registry: &Registry) {
        let result = acceptor.listen_on(&self.addresses, self.backlog, registry);
        // Whoever asked may have gone.
        self.done.send(result).ok();
    }
}

impl Acceptor {
    fn listen_on(
        &mut self,
        addresses: &[TcpAddress],
        backlog: i32,
        registry: &Registry,
    ) -> Result<Vec<Place>, ListenError> {
        let (mut new, mut closed) = (Vec::new(), Vec::new());
        for (index, address) in addresses.iter().enumerate() {
            let wanted = address.place();
            let is_there = self.tcp().any(|(_, place)| place == wanted)
                || addresses[..index]
                    .iter()
                    .any(|other| other.place() == wanted);
            if is_there {
                continue;
            }
            let mut opened = address.listen(backlog);
            if opened.as_ref().is_err_and(is_in_use) {
                // An address that stands for all of them excludes each of them, and the other way
                // round.
                closed.extend(
                    self.close(|place| {
                        excludes(place.1, address.at) && !is_wanted(addresses, place)
                    }),
                );
                opened = address.listen(backlog);
            }
            match opened {
                Ok(listener) => new.extend(listener.map(|new| (address.transport, new))),
                Err(error) => {
                    drop(new);
                    self.open_again(&closed, backlog, registry);
                    return Err(error);
                }
            }
        }
        for (transport, listener) in new {
            let listener = TcpListener::from_std(listener);
            if let Err(error) = self.add(transport, listener, registry) {
                // Without it nobody could be told of an error either.
                tracing::error!(%error, "a listener cannot be watched");
            }
        }
        self.close(|place| !is_wanted(addresses, place));
        Ok(self.tcp().map(|(_, place)| place).collect())
    }

    /// The TCP listeners by number, with where they are.
    fn tcp(&self) -> impl Iterator<Item = (usize, Place)> {
        let listeners = self.listeners.iter().enumerate();
        listeners.filter_map(|(number, listener)| match listener {
            Some(Listener::Tcp(transport, listener)) => {
                Some((number, (*transport, listener.local_addr().ok()?)))
            }
            Some(Listener::Unix(_)) | None => None,
        })
    }

    /// Closes the TCP listeners at some places; which those were.
    fn close(&mut self, is_superfluous: impl Fn(Place) -> bool) -> Vec<Place> {
        let found: Vec<_> = self.tcp().filter(|(_, at)| is_superfluous(*at)).collect();
        for (number, _) in &found {
            self.listeners[*number] = None;
        }
        found.into_iter().map(|(_, place)| place).collect()
    }

    fn open_again(&mut self, closed: &[Place], backlog: i32, registry: &Registry) {
        for place in closed {
            let opened = listen_tcp(place.1, backlog)
                .and_then(|listener| self.add(place.0, TcpListener::from_std(listener), registry));
            if let Err(error) = opened {
                let at = shown(*place);
                tracing::error!(at, %error, "an address cannot be listened on any more");
            }
        }
    }

    /// Accepts at one more listener.
    fn add(
        &mut self,
        transport: Transport,
        listener: TcpListener,
        registry: &Registry,
    ) -> io::Result<()> {
        let free = self.listeners.iter().position(Option::is_none);
        let place = free.unwrap_or(self.listeners.len());
        let mut listener = Listener::Tcp(transport, listener);
        listener.register(registry, token_of(self.end, place))?;
        match self.listeners.get_mut(place) {
            Some(found) => *found = Some(listener),
            None => self.listeners.push(Some(listener)),
        }
        Ok(())
    }
}

fn is_in_use(error: &ListenError) -> bool {
    match error {
        ListenError::Tcp { source, .. } | ListenError::Unix { source, .. } => {
            source.kind() == io::ErrorKind::AddrInUse
        }
        ListenError::Tls(_) => false,
    }
}

fn is_wanted(addresses: &[TcpAddress], place: Place) -> bool {
    addresses.iter().any(|wanted| wanted.place() == place)
}

/// Returns whether a listener at one address keeps another from the other.
fn excludes(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip().is_unspecified() || other.ip().is_unspecified())
}
