//! Listening: TCP addresses and a unix socket.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use engine::config::{BindAddress, TlsConfig};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::tls::{Identity, TlsError};

/// Why the server cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// A TCP address.
    #[error(
        "cannot listen on {address}: {source}; choose another port or --bind, or stop what listens there"
    )]
    Tcp {
        /// The address as given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The unix socket.
    #[error("cannot listen on the unix socket {path}: {source}; choose another --unixsocket")]
    Unix {
        /// Its path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// TLS.
    #[error("cannot serve TLS: {0}")]
    Tls(#[from] TlsError),
}

/// How clients of a TCP port speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In the clear.
    Plain,
    /// Encrypted.
    Tls,
}

/// Where a listener listens, and how its clients speak.
pub(crate) type Place = (Transport, SocketAddr);

/// Sockets that listen, not yet served.
#[derive(Debug, Default)]
pub struct Listeners {
    pub(crate) tcp: Vec<(Transport, StdTcpListener)>,
    /// What clients of TLS are shown.
    pub(crate) identity: Option<Identity>,
    pub(crate) unix: Option<(std::os::unix::net::UnixListener, PathBuf)>,
}

impl Listeners {
    /// Nothing listens yet.
    pub fn new() -> Listeners {
        Listeners::default()
    }

    /// Whether nothing listens.
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.unix.is_none()
    }

    /// Listens on TCP addresses; on none for port 0.
    ///
    /// # Errors
    /// [`ListenError`] for the first address that does not work.
    pub fn tcp(
        &mut self,
        addresses: &[BindAddress],
        port: u16,
        backlog: i32,
    ) -> Result<(), ListenError> {
        self.listen(TcpAddress::all(addresses, port, Transport::Plain)?, backlog)
    }

    /// The same for clients of TLS.
    ///
    /// # Errors
    /// [`ListenError`] for the first setting or address that does not work.
    pub fn tls(
        &mut self,
        addresses: &[BindAddress],
        config: &TlsConfig,
        backlog: i32,
    ) -> Result<(), ListenError> {
        self.identity = Identity::of(config)?;
        self.listen(
            TcpAddress::all(addresses, config.port, Transport::Tls)?,
            backlog,
        )
    }

    fn listen(&mut self, addresses: Vec<TcpAddress>, backlog: i32) -> Result<(), ListenError> {
        for address in addresses {
            let listener = address.listen(backlog)?;
            self.tcp
                .extend(listener.map(|listener| (address.transport, listener)));
        }
        Ok(())
    }

    /// Listens on a unix socket with these permissions, or those that the system sets; a file left
    /// behind by an earlier run is replaced.
    ///
    /// # Errors
    /// [`ListenError`] if that does not work.
    pub fn unix(&mut self, path: &Path, mode: Option<u32>) -> Result<(), ListenError> {
        let listen = || -> io::Result<_> {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let listener = std::os::unix::net::UnixListener::bind(path)?;
            if let Some(mode) = mode {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
            }
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = listen().map_err(|source| ListenError::Unix {
            path: path.display().to_string(),
            source,
        })?;
        self.unix = Some((listener, path.to_owned()));
        Ok(())
    }

    /// The TCP addresses that are listened on.
    pub(crate) fn places(&self) -> Vec<Place> {
        let places = self.tcp.iter();
        places
            .filter_map(|(transport, tcp)| Some((*transport, tcp.local_addr().ok()?)))
            .collect()
    }

    /// The addresses that it listens on, as the log prints them.
    pub fn addresses(&self) -> Vec<String> {
        let tcp = self.places().into_iter();
        let unix = self.unix.iter().map(|(_, path)| path.display().to_string());
        tcp.map(shown).chain(unix).collect()
    }

    /// The TCP listeners alone, for who serves another protocol.
    pub fn into_tcp(self) -> Vec<StdTcpListener> {
        self.tcp.into_iter().map(|(_, listener)| listener).collect()
    }

    /// The port of the first TCP listener.
    pub fn port(&self) -> Option<u16> {
        self.tcp
            .first()
            .and_then(|(_, listener)| listener.local_addr().ok())
            .map(|at| at.port())
    }
}

/// An address to listen on.
#[derive(Debug, Clone)]
pub(crate) struct TcpAddress {
    pub(crate) at: SocketAddr,
    pub(crate) transport: Transport,
    /// It may be missing on this machine.
    optional: bool,
    /// The address and the port as given.
    given: String,
}

impl TcpAddress {
    /// The addresses that the setting `bind` and a port name; none for port 0. Names are looked
    /// up.
    pub(crate) fn all(
        addresses: &[BindAddress],
        port: u16,
        transport: Transport,
    ) -> Result<Vec<TcpAddress>, ListenError> {
        let mut found: Vec<TcpAddress> = Vec::new();
        for BindAddress { host, optional } in addresses.iter().filter(|_| port > 0) {
            let given = format!("{host}:{port}");
            let host = match host.as_str() {
                "*" => "0.0.0.0",
                "::*" => "::",
                host => host,
            };
            let at = (host, port).to_socket_addrs().and_then(|mut all| {
                let missing = io::ErrorKind::AddrNotAvailable;
                all.next().ok_or_else(|| io::Error::from(missing))
            });
            let at = at.map_err(|source| ListenError::Tcp {
                address: given.clone(),
                source,
            })?;
            found.push(TcpAddress {
                at,
                transport,
                optional: *optional,
                given,
            });
        }
        Ok(found)
    }

    /// Where its listener is.
    pub(crate) fn place(&self) -> Place {
        (self.transport, self.at)
    }

    /// Listens on it; none if it is missing and may be.
    pub(crate) fn listen(&self, backlog: i32) -> Result<Option<StdTcpListener>, ListenError> {
        match listen_tcp(self.at, backlog) {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if self.optional && is_missing(&error) => Ok(None),
            Err(source) => Err(ListenError::Tcp {
                address: self.given.clone(),
                source,
            }),
        }
    }
}

/// A place as the log prints it.
pub(crate) fn shown((transport, at): Place) -> String {
    match transport {
        Transport::Plain => at.to_string(),
        Transport::Tls => format!("{at} (TLS)"),
    }
}

/// Returns whether this machine does not have an address, or not the protocol that it belongs to: a
/// kernel may be without IPv6.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::ADDRNOTAVAIL
                | Errno::AFNOSUPPORT
                | Errno::PFNOSUPPORT
                | Errno::PROTONOSUPPORT
                | Errno::SOCKTNOSUPPORT
        )
    )
}

/// Listens on an address.
pub(crate) fn listen_tcp(at: SocketAddr, backlog: i32) -> io::Result<StdTcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_missing_without_its_protocol_too_and_not_when_it_is_taken() {
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for errno in [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT] {
            assert!(is_missing(&error(errno)), "{errno}");
        }
        for errno in [Errno::ADDRINUSE, Errno::ACCESS] {
            assert!(!is_missing(&error(errno)), "{errno}");
        }
    }
}
