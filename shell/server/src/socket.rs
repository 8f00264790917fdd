//! A client's socket: TCP, in the clear or encrypted, or Unix. It never blocks.

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

use crate::limits::SEND_BYTES;
use crate::tls::{Identity, Tls};

/// A connected socket of any kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<Tls>),
    /// One that holds bytes back which the system has delivered, as an encrypted one does.
    #[cfg(test)]
    Buffered(tests::Buffered),
}

/// What was read from a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// How many bytes: 0 if the peer sends no more.
    pub(crate) len: usize,
    /// Whether to read again at once.
    pub(crate) more: More,
}

/// Whether there may be more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// There may be, and no event will tell of it: events tell only of what comes to the system
    /// later, not of what is still in its buffers or in those of the socket.
    Now,
    /// Not before the next event.
    Later,
}

impl Socket {
    /// Takes over a TCP connection. Its peer is probed when it has been silent for `keepalive`;
    /// never if that is zero.
    pub(crate) fn tcp(stream: TcpStream, keepalive: Duration) -> io::Result<Socket> {
        prepare(&stream, keepalive)?;
        Ok(Socket::Tcp(stream))
    }

    /// The same for one that is to be encrypted.
    pub(crate) fn tls(
        stream: TcpStream,
        keepalive: Duration,
        identity: &Identity,
    ) -> io::Result<Socket> {
        prepare(&stream, keepalive)?;
        Ok(Socket::Tls(Box::new(Tls::new(stream, identity.config())?)))
    }

    /// Returns whether it cannot be used before the client has sent more of a handshake.
    pub(crate) fn is_handshaking(&self) -> bool {
        match self {
            Socket::Tls(tls) => tls.is_handshaking(),
            Socket::Tcp(_) | Socket::Unix(_) => false,
            #[cfg(test)]
            Socket::Buffered(_) => false,
        }
    }

    /// The common name of the certificate that the client has shown, if it has one.
    pub(crate) fn client_name(&self) -> Option<Vec<u8>> {
        match self {
            Socket::Tls(tls) => tls.client_name(),
            Socket::Tcp(_) | Socket::Unix(_) => None,
            #[cfg(test)]
            Socket::Buffered(_) => None,
        }
    }

    /// Returns whether it has something of its own to write once there is room, which reading from
    /// it does.
    #[inline]
    pub(crate) fn wants_write(&self) -> bool {
        match self {
            Socket::Tls(tls) => tls.wants_write(),
            Socket::Tcp(_) | Socket::Unix(_) => false,
            #[cfg(test)]
            Socket::Buffered(_) => false,
        }
    }

    /// Asks for events: each time there is something to read, and each time there is room again.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Socket::Tcp(stream) => registry.register(stream, token, interest),
            Socket::Unix(stream) => registry.register(stream, token, interest),
            Socket::Tls(tls) => registry.register(&mut tls.stream, token, interest),
            #[cfg(test)]
            Socket::Buffered(socket) => registry.register(&mut socket.stream, token, interest),
        }
    }

    /// Returns where the client is, and where it connected to.
    pub(crate) fn addresses(&self) -> (String, String) {
        match self {
            Socket::Tcp(stream) => addresses(stream),
            Socket::Tls(tls) => addresses(&tls.stream),
            #[cfg(test)]
            Socket::Buffered(_) => Default::default(),
            Socket::Unix(stream) => {
                let local = stream.local_addr().ok();
                let path =
                    local.and_then(|at| at.as_pathname().map(|path| path.display().to_string()));
                let path = format!("{}:0", path.unwrap_or_default());
                (path.clone(), path)
            }
        }
    }

    /// The file descriptor.
    pub(crate) fn number(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }

    /// Reads what is there into the spare capacity of `buffer`, which must have some.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there.
    #[inline]
    pub(crate) fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<Read> {
        #[cfg(test)]
        if let Socket::Buffered(socket) = self {
            return socket.receive(buffer);
        }
        if let Socket::Tls(tls) = self {
            return tls.receive(buffer);
        }
        let room = buffer.capacity() - buffer.len();
        loop {
            // Not the C library's call, which costs more because it is a point where a thread may
            // be cancelled.
            match recv(&*self, spare_capacity(buffer), RecvFlags::empty()) {
                Ok((_, len)) => {
                    // A read that does not fill the buffer has emptied the socket.
                    let more = match len == room {
                        true => More::Now,
                        false => More::Later,
                    };
                    return Ok(Read { len, more });
                }
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
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Socket::Tls(tls) = self {
            return tls.send(&[IoSlice::new(bytes)]);
        }
        self.send_plain(bytes)
    }

    /// The same, but leaves it at [`SEND_BYTES`]: a client that reads at once makes room while the
    /// system copies, so that a single call could go on to the end.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing.
    #[inline]
    pub(crate) fn send_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Socket::Tls(tls) = self {
            return tls.send_some(&[IoSlice::new(bytes)]);
        }
        self.send_plain(bytes.get(..SEND_BYTES).unwrap_or(bytes))
    }

    #[inline]
    fn send_plain(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match send(self, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }

    /// The same for all segments.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing.
    pub(crate) fn send_all_of<'s>(
        &mut self,
        segments: impl Iterator<Item = &'s [u8]>,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SEGMENTS_MAX];
        let (mut len, mut left) = (0, SEND_BYTES);
        for (slice, segment) in slices.iter_mut().zip(segments) {
            if left == 0 {
                break;
            }
            let segment = segment.get(..left).unwrap_or(segment);
            left -= segment.len();
            *slice = IoSlice::new(segment);
            len += 1;
        }
        let slices = &slices[..len];
        if let [only] = slices {
            return self.send_some(only);
        }
        if let Socket::Tls(tls) = self {
            return tls.send_some(slices);
        }
        loop {
            let mut control = SendAncillaryBuffer::default();
            match sendmsg(&*self, slices, &mut control, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }
}

/// Sends what is written at once, and has the peer probed when it has been silent for that long.
fn prepare(stream: &TcpStream, keepalive: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if !keepalive.is_zero() {
        let keepalive = TcpKeepalive::new().with_time(keepalive);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}

/// Where the client is, and where it connected to.
fn addresses(stream: &TcpStream) -> (String, String) {
    let text = |at: io::Result<SocketAddr>| at.map(|at| at.to_string()).unwrap_or_default();
    (text(stream.peer_addr()), text(stream.local_addr()))
}

/// Segments that are written at once.
const SEGMENTS_MAX: usize = 64;

impl AsFd for Socket {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Tls(tls) => tls.stream.as_fd(),
            #[cfg(test)]
            Socket::Buffered(socket) => socket.stream.as_fd(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read as _;

    use super::*;

    /// A socket that takes all that has come out of the system and gives it away in small pieces,
    /// as one does that decrypts what it reads, record by record.
    #[derive(Debug)]
    pub(crate) struct Buffered {
        pub(crate) stream: UnixStream,
        held: Vec<u8>,
    }

    #[test]
    fn a_peer_that_takes_all_is_sent_a_bounded_part_at_once() {
        // A blocking socket takes as much as it is offered, however fast the peer reads.
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut socket = Socket::Unix(UnixStream::from_std(ours));
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).map(|_| all)
        });
        let bytes: Vec<u8> = (0..3 * SEND_BYTES).map(|at| at as u8).collect();
        assert_eq!(socket.send_some(&bytes).unwrap(), SEND_BYTES);
        // In segments that do not end at the bound, and in one that goes beyond it.
        let part = SEND_BYTES / 2 + 1;
        let segments = bytes[SEND_BYTES..].chunks(part);
        assert_eq!(socket.send_all_of(segments).unwrap(), SEND_BYTES);
        let rest = [&bytes[2 * SEND_BYTES..]];
        assert_eq!(socket.send_all_of(rest.into_iter()).unwrap(), SEND_BYTES);
        drop(socket);
        assert_eq!(reader.join().unwrap().unwrap(), bytes);
    }

    /// Bytes that are given away at once.
    const PIECE_BYTES: usize = 7;

    impl Buffered {
        pub(crate) fn new(stream: UnixStream) -> Buffered {
            let held = Vec::new();
            Buffered { stream, held }
        }

        pub(super) fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<Read> {
            let mut came = [0; 1 << 16];
            let end = match self.stream.read(&mut came) {
                Ok(len) => {
                    self.held.extend_from_slice(&came[..len]);
                    len == 0
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
                Err(error) => return Err(error),
            };
            let len = self.held.len().min(PIECE_BYTES);
            if len == 0 && !end {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            buffer.extend(self.held.drain(..len));
            let more = match self.held.is_empty() {
                true => More::Later,
                false => More::Now,
            };
            Ok(Read { len, more })
        }
    }
}
