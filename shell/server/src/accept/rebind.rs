//! Other addresses to listen on, while the server runs (`CONFIG SET bind`, `port`).
//!
//! The thread that accepts does it between two turns: what is new is opened before anything is
//! closed, so that a port that is in use leaves all as it was. Connections that are there stay.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use mio::Registry;
use mio::net::TcpListener;

use super::{Acceptor, Listener, token_of};
use crate::listen::{ListenError, TcpAddress, listen_tcp};

/// A request for other addresses.
#[derive(Debug)]
pub(crate) struct Rebind {
    addresses: Vec<TcpAddress>,
    backlog: i32,
    done: mpsc::Sender<Result<Vec<SocketAddr>, ListenError>>,
}

impl Rebind {
    /// A request, and the channel for its result: the addresses that are listened on.
    pub(crate) fn new(
        addresses: Vec<TcpAddress>,
        backlog: i32,
    ) -> (Rebind, mpsc::Receiver<Result<Vec<SocketAddr>, ListenError>>) {
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
    ) -> Result<Vec<SocketAddr>, ListenError> {
        let (mut new, mut closed) = (Vec::new(), Vec::new());
        for (index, address) in addresses.iter().enumerate() {
            let is_there = self.tcp().any(|(_, at)| at == address.at)
                || addresses[..index]
                    .iter()
                    .any(|other| other.at == address.at);
            if is_there {
                continue;
            }
            let mut opened = address.listen(backlog);
            if opened.as_ref().is_err_and(is_in_use) {
                // An address that stands for all of them excludes each of them, and the other way
                // round.
                closed.extend(self.close(|at| {
                    excludes(at, address.at) && addresses.iter().all(|wanted| wanted.at != at)
                }));
                opened = address.listen(backlog);
            }
            match opened {
                Ok(listener) => new.extend(listener),
                Err(error) => {
                    drop(new);
                    self.open_again(&closed, backlog, registry);
                    return Err(error);
                }
            }
        }
        for listener in new {
            if let Err(error) = self.add(TcpListener::from_std(listener), registry) {
                // Without it nobody could be told of an error either.
                tracing::error!(%error, "a listener cannot be watched");
            }
        }
        self.close(|at| addresses.iter().all(|wanted| wanted.at != at));
        Ok(self.tcp().map(|(_, at)| at).collect())
    }

    /// The TCP listeners by place, with their addresses.
    fn tcp(&self) -> impl Iterator<Item = (usize, SocketAddr)> {
        let listeners = self.listeners.iter().enumerate();
        listeners.filter_map(|(place, listener)| match listener {
            Some(Listener::Tcp(listener)) => Some((place, listener.local_addr().ok()?)),
            Some(Listener::Unix(_)) | None => None,
        })
    }

    /// Closes the TCP listeners at some addresses; which those were.
    fn close(&mut self, is_superfluous: impl Fn(SocketAddr) -> bool) -> Vec<SocketAddr> {
        let found: Vec<_> = self.tcp().filter(|(_, at)| is_superfluous(*at)).collect();
        for (place, _) in &found {
            self.listeners[*place] = None;
        }
        found.into_iter().map(|(_, at)| at).collect()
    }

    fn open_again(&mut self, closed: &[SocketAddr], backlog: i32, registry: &Registry) {
        for at in closed {
            let opened = listen_tcp(*at, backlog)
                .and_then(|listener| self.add(TcpListener::from_std(listener), registry));
            if let Err(error) = opened {
                tracing::error!(%at, %error, "an address cannot be listened on any more");
            }
        }
    }

    /// Accepts at one more listener.
    fn add(&mut self, listener: TcpListener, registry: &Registry) -> io::Result<()> {
        let free = self.listeners.iter().position(Option::is_none);
        let place = free.unwrap_or(self.listeners.len());
        let mut listener = Listener::Tcp(listener);
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
    }
}

/// Returns whether a listener at one address keeps another from the other.
fn excludes(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip().is_unspecified() || other.ip().is_unspecified())
}
