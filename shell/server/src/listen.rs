//! Listening: TCP addresses and a unix socket.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use engine::config::BindAddress;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

/// Why the server cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// A TCP address.
    #[error(
        "cannot listen on {address}: {source}; choose another --port or --bind, or stop what listens there"
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
}

/// Sockets that listen, not yet served.
#[derive(Debug, Default)]
pub struct Listeners {
    pub(crate) tcp: Vec<StdTcpListener>,
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
        for address in TcpAddress::all(addresses, port)? {
            self.tcp.extend(address.listen(backlog)?);
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
    pub(crate) fn tcp_addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.tcp.iter().map(|tcp| tcp.local_addr());
        addresses.filter_map(Result::ok).collect()
    }

    /// The addresses that it listens on, as the log prints them.
    pub fn addresses(&self) -> Vec<String> {
        let tcp = self.tcp_addresses().into_iter();
        let unix = self.unix.iter().map(|(_, path)| path.display().to_string());
        tcp.map(|at| at.to_string()).chain(unix).collect()
    }

    /// The port of the first TCP listener.
    pub fn port(&self) -> Option<u16> {
        self.tcp
            .first()
            .and_then(|listener| listener.local_addr().ok())
            .map(|at| at.port())
    }
}

/// An address to listen on.
#[derive(Debug, Clone)]
pub(crate) struct TcpAddress {
    pub(crate) at: SocketAddr,
    /// It may be missing on this machine.
    optional: bool,
    /// The address and the port as given.
    given: String,
}

impl TcpAddress {
    /// The addresses that the settings `bind` and `port` name; none for port 0. Names are looked
    /// up.
    pub(crate) fn all(
        addresses: &[BindAddress],
        port: u16,
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
                optional: *optional,
                given,
            });
        }
        Ok(found)
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
