//! Listening: TCP addresses and a unix socket.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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

    /// Listens on TCP addresses. One with a `-` before it may be missing on this machine.
    ///
    /// # Errors
    /// [`ListenError`] for the first address that does not work.
    pub fn tcp(&mut self, addresses: &str, port: u16, backlog: i32) -> Result<(), ListenError> {
        for address in addresses.split_ascii_whitespace() {
            let (address, optional) = match address.strip_prefix('-') {
                Some(address) => (address, true),
                None => (address, false),
            };
            match listen_tcp(address, port, backlog) {
                Ok(listener) => self.tcp.push(listener),
                Err(source) if optional && source.kind() == io::ErrorKind::AddrNotAvailable => {}
                Err(source) => {
                    let address = format!("{address}:{port}");
                    return Err(ListenError::Tcp { address, source });
                }
            }
        }
        Ok(())
    }

    /// Listens on a unix socket; a file left behind by an earlier run is replaced.
    ///
    /// # Errors
    /// [`ListenError`] if that does not work.
    pub fn unix(&mut self, path: &Path, mode: u32) -> Result<(), ListenError> {
        let listen = || -> io::Result<_> {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = std::os::unix::net::UnixListener::bind(path)?;
            if mode != 0 {
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

    /// The addresses that it listens on, as the log prints them.
    pub fn addresses(&self) -> Vec<String> {
        let tcp = self.tcp.iter().filter_map(|tcp| tcp.local_addr().ok());
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

fn listen_tcp(address: &str, port: u16, backlog: i32) -> io::Result<StdTcpListener> {
    let host = match address {
        "*" => "0.0.0.0",
        "::*" => "::",
        host => host,
    };
    let at: SocketAddr = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
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
