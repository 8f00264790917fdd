//! A client's socket, TCP or Unix. It never blocks.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
use socket2::{SockRef, TcpKeepalive};

/// A connected socket of either kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Takes over a TCP connection. Its peer is probed when it has been silent for `keepalive`;
    /// never if that is zero.
    pub(crate) fn tcp(stream: TcpStream, keepalive: Duration) -> io::Result<Socket> {
        stream.set_nodelay(true)?;
        if !keepalive.is_zero() {
            let keepalive = TcpKeepalive::new().with_time(keepalive);
            SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        }
        Ok(Socket::Tcp(stream))
    }

    /// Asks for events: each time there is something to read, and each time there is room again.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Socket::Tcp(stream) => registry.register(stream, token, interest),
            Socket::Unix(stream) => registry.register(stream, token, interest),
        }
    }

    /// Returns where the client is, and where it connected to.
    pub(crate) fn addresses(&self) -> (String, String) {
        match self {
            Socket::Tcp(stream) => {
                let text =
                    |at: io::Result<SocketAddr>| at.map(|at| at.to_string()).unwrap_or_default();
                (text(stream.peer_addr()), text(stream.local_addr()))
            }
            Socket::Unix(stream) => {
                let local = stream.local_addr().ok();
                let path =
                    local.and_then(|at| at.as_pathname().map(|path| path.display().to_string()));
                let path = format!("{}:0", path.unwrap_or_default());
                (path.clone(), path)
            }
        }
    }

    /// The socket's number.
    pub(crate) fn number(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }

    /// Reads what is there into the spare capacity of `buffer`, which must have some. Returns how
    /// many bytes that were: 0 if the peer sends no more, fewer than there was room for if the
    /// socket has no more now.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there.
    #[inline]
    pub(crate) fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            // Not the C library's call, which costs more because it is a point where a thread may
            // be cancelled.
            match recv(self, spare_capacity(buffer), RecvFlags::empty()) {
                Ok((_, len)) => return Ok(len),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes as much as the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing.
    #[inline]
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match send(self, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }

    /// Writes as much of all segments as the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing.
    pub(crate) fn send_all_of<'s>(
        &self,
        segments: impl Iterator<Item = &'s [u8]>,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SEGMENTS_MAX];
        let mut len = 0;
        for (slice, segment) in slices.iter_mut().zip(segments) {
            *slice = IoSlice::new(segment);
            len += 1;
        }
        let slices = &slices[..len];
        if let [only] = slices {
            return self.send(only);
        }
        loop {
            let mut control = SendAncillaryBuffer::default();
            match sendmsg(self, slices, &mut control, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }
}

/// Segments that are written at once.
const SEGMENTS_MAX: usize = 64;

impl AsFd for Socket {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}
