//! A TCP connection that is encrypted by TLS, driven by the events of its socket.
//!
//! Nothing here waits, and nothing is held beyond a bound: what came encrypted is decrypted record
//! by record and given away, and little more is encrypted than the socket takes.

mod ciphers;
#[cfg(fuzzing)]
pub mod door;
mod files;
mod identity;
mod names;
mod sessions;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, IoSlice, Write as _};
use std::sync::Arc;

use mio::net::TcpStream;
use parking_lot::Mutex;
use rustls::{ServerConfig, ServerConnection};

use crate::limits::{SEND_BYTES, TLS_HANDSHAKE_BYTES_MAX, TLS_PENDING_BYTES, TLS_TURN_BYTES};
use crate::socket::{More, Read};

pub use self::files::FileError;
pub(crate) use self::identity::Identity;
pub use self::identity::TlsError;

/// What the server shows to clients that connect from now on; nothing if there is no TLS.
#[derive(Debug, Default)]
pub(crate) struct IdentitySlot(Mutex<Option<Identity>>);

impl IdentitySlot {
    /// Replaces it, and returns what was there.
    pub(crate) fn replace(&self, identity: Option<Identity>) -> Option<Identity> {
        std::mem::replace(&mut self.0.lock(), identity)
    }

    /// What is there.
    pub(crate) fn get(&self) -> Option<Identity> {
        self.0.lock().clone()
    }
}

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) stream: TcpStream,
    session: ServerConnection,
    /// Bytes of replies that were encrypted and have not all left. They count as sent once they
    /// have, so that whoever sends knows when to wait; until then they are offered again.
    pending: usize,
    /// Bytes that came before the handshake was done.
    handshake_bytes: usize,
}

impl Tls {
    /// The server's end of a connection, before the handshake.
    pub(crate) fn new(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Tls> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(Some(TLS_PENDING_BYTES));
        Ok(Tls {
            stream,
            session,
            pending: 0,
            handshake_bytes: 0,
        })
    }

    /// Returns whether the client has not shown yet that it can read what is sent.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// The common name of the certificate that the client has shown, if it has one.
    pub(crate) fn client_name(&self) -> Option<Vec<u8>> {
        let shown = self.session.peer_certificates()?.first()?;
        names::common_name(shown)
    }

    /// Returns whether something waits for room in the socket.
    pub(crate) fn wants_write(&self) -> bool {
        self.session.wants_write()
    }

    /// Reads and decrypts what is there into the spare capacity of `buffer`.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; what is wrong if the client does not speak TLS, or is not
    /// to be trusted.
    pub(crate) fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<Read> {
        let start = buffer.len();
        let mut wire = Wire::of(&self.stream);
        // What is left of the answers to a handshake.
        Self::flush(&mut self.session, &mut wire)?;
        let more = loop {
            // The end, if it has come, is read next.
            if Self::take(&mut self.session, buffer)? {
                break More::Now;
            }
            let len = buffer.len() - start;
            if buffer.len() == buffer.capacity() || (len > 0 && wire.read >= TLS_TURN_BYTES) {
                break More::Now;
            }
            if wire.is_drained {
                match len {
                    0 => return Err(io::ErrorKind::WouldBlock.into()),
                    _ => break More::Later,
                }
            }
            let was_handshaking = self.session.is_handshaking();
            match self.session.read_tls(&mut wire) {
                Ok(0) => break More::Now,
                Ok(len) if was_handshaking => {
                    self.handshake_bytes += len;
                    if self.handshake_bytes > TLS_HANDSHAKE_BYTES_MAX {
                        return Err(bad("the handshake is too long"));
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wire.is_drained = true;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let processed = self.session.process_new_packets();
            // Also what tells the client that it was refused.
            Self::flush(&mut self.session, &mut wire)?;
            processed.map_err(bad)?;
        };
        let len = buffer.len() - start;
        Ok(Read { len, more })
    }

    /// Takes what is decrypted, as far as there is room. Returns whether the client said that it
    /// sends no more.
    fn take(session: &mut ServerConnection, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let mut reader = session.reader();
        loop {
            let room = buffer.capacity() - buffer.len();
            if room == 0 {
                return Ok(false);
            }
            match reader.fill_buf() {
                Ok([]) => return Ok(true),
                Ok(chunk) => {
                    let len = chunk.len().min(room);
                    buffer.extend_from_slice(&chunk[..len]);
                    reader.consume(len);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // It is gone without a word, as most clients go.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    /// Encrypts and writes as much of all slices as the socket takes now. Offered again after
    /// `WouldBlock` or less than all, they must begin with what was not taken.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes nothing.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_up_to(slices, usize::MAX)
    }

    /// The same, but stops once about [`SEND_BYTES`] were taken.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes nothing.
    pub(crate) fn send_some(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_up_to(slices, SEND_BYTES)
    }

    fn send_up_to(&mut self, slices: &[IoSlice<'_>], enough: usize) -> io::Result<usize> {
        if self.session.is_handshaking() {
            // Nobody is there yet to whom it could be said in confidence.
            return Err(io::ErrorKind::NotConnected.into());
        }
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut sent = 0;
        loop {
            if !Self::flush(&mut self.session, &mut Wire::of(&self.stream))? {
                return match sent {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(sent),
                };
            }
            sent += std::mem::take(&mut self.pending);
            if sent >= all.min(enough) {
                return Ok(sent.min(all));
            }
            self.pending = Self::encrypt(&mut self.session, slices, sent)?;
        }
    }

    /// Encrypts some of what comes `from` there on.
    fn encrypt(
        session: &mut ServerConnection,
        slices: &[IoSlice<'_>],
        from: usize,
    ) -> io::Result<usize> {
        let mut skip = from;
        for (index, slice) in slices.iter().enumerate() {
            if skip < slice.len() {
                let mut writer = session.writer();
                return match skip {
                    0 => writer.write_vectored(&slices[index..]),
                    _ => writer.write(&slice[skip..]),
                };
            }
            skip -= slice.len();
        }
        Ok(0)
    }

    /// Writes what is encrypted. Returns whether all of it has left.
    fn flush(session: &mut ServerConnection, wire: &mut Wire<'_>) -> io::Result<bool> {
        while session.wants_write() {
            match session.write_tls(wire) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The client does not speak TLS, or is not to be trusted.
fn bad(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl Drop for Tls {
    /// Tells the client that this is the end and nobody else cut it short, as far as the socket
    /// takes it.
    fn drop(&mut self) {
        if !self.session.is_handshaking() {
            self.session.send_close_notify();
        }
        Self::flush(&mut self.session, &mut Wire::of(&self.stream)).ok();
    }
}

/// The socket, as what is encrypted comes and goes.
struct Wire<'s> {
    stream: &'s TcpStream,
    /// How much was read.
    read: usize,
    /// A read did not fill what it was given, so nothing is left.
    is_drained: bool,
}

impl Wire<'_> {
    fn of(stream: &TcpStream) -> Wire<'_> {
        Wire {
            stream,
            read: 0,
            is_drained: false,
        }
    }
}

impl io::Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = io::Read::read(&mut self.stream, buffer)?;
        self.read += len;
        // The end leaves nothing, too, and is read as often as it is asked for.
        self.is_drained = 0 < len && len < buffer.len();
        Ok(len)
    }
}

impl io::Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
