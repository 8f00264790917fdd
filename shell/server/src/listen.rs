//! Listening: TCP addresses and a unix socket.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

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

/// A connected socket of either kind.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Takes over a TCP connection on the runtime of this thread.
    pub(crate) fn tcp(stream: std::net::TcpStream, keepalive: Duration) -> io::Result<Stream> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        if !keepalive.is_zero() {
            let keepalive = TcpKeepalive::new().with_time(keepalive);
            SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        }
        TcpStream::from_std(stream).map(Stream::Tcp)
    }

    /// Takes over a unix connection on the runtime of this thread.
    pub(crate) fn unix(stream: std::os::unix::net::UnixStream) -> io::Result<Stream> {
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream).map(Stream::Unix)
    }

    /// Where the client is, and where it connected to.
    pub(crate) fn addresses(&self) -> (String, String) {
        match self {
            Stream::Tcp(stream) => {
                let text =
                    |at: io::Result<SocketAddr>| at.map(|at| at.to_string()).unwrap_or_default();
                (text(stream.peer_addr()), text(stream.local_addr()))
            }
            Stream::Unix(stream) => {
                let local = stream.local_addr().ok();
                let path =
                    local.and_then(|at| at.as_pathname().map(|path| path.display().to_string()));
                let path = format!("{}:0", path.unwrap_or_default());
                (path.clone(), path)
            }
        }
    }

    /// The socket's number.
    pub(crate) fn fd(&self) -> i32 {
        match self {
            Stream::Tcp(stream) => stream.as_raw_fd(),
            Stream::Unix(stream) => stream.as_raw_fd(),
        }
    }

    /// Reads what is there. A read that does not fill the buffer has emptied the socket: unlike after
    /// [`Stream::try_read`], the next one waits without asking it.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        read.map_ok(|()| buffer.filled().len())
    }

    /// Ready when the socket may have something to read.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(cx),
            Stream::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.writable().await,
            Stream::Unix(stream) => stream.writable().await,
        }
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_read(buffer),
            Stream::Unix(stream) => stream.try_read(buffer),
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_write(bytes),
            Stream::Unix(stream) => stream.try_write(bytes),
        }
    }
}
