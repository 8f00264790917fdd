//! A connection of the load client, in the clear or encrypted. It does not block.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Result;
use rustls::ClientConnection;

use crate::tls::Client;

/// A connection.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<Tls>),
}

impl Wire {
    /// Connects; by TLS if there is a client of TLS, and then with the handshake done.
    ///
    /// # Errors
    /// When the server refuses, or is not to be trusted.
    pub(crate) fn connect(address: SocketAddr, tls: Option<&Client>) -> Result<Wire> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let session = tls.map(Client::session).transpose()?;
        let wire = match session {
            None => Wire::Plain(stream.try_clone()?),
            Some(mut session) => {
                while session.is_handshaking() {
                    session.complete_io(&mut stream)?;
                }
                Wire::Tls(Box::new(Tls {
                    stream: stream.try_clone()?,
                    session,
                    pending: 0,
                }))
            }
        };
        stream.set_nonblocking(true)?;
        Ok(wire)
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Wire::Plain(stream) => stream.as_fd(),
            Wire::Tls(tls) => tls.stream.as_fd(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.read(buffer),
            Wire::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.write(bytes),
            Wire::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An encrypted connection.
pub(crate) struct Tls {
    stream: TcpStream,
    session: ClientConnection,
    /// Bytes that were encrypted and have not all left; they count as written once they have.
    pending: usize,
}

impl Tls {
    /// What is decrypted is given out as a whole if there is room, so that nothing is left of which
    /// no event tells.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if self.session.read_tls(&mut self.stream)? == 0 {
                return Ok(0);
            }
            let processed = self.session.process_new_packets();
            processed.map_err(io::Error::other)?;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending == 0 {
            self.pending = self.session.writer().write(bytes)?;
        }
        while self.session.wants_write() {
            self.session.write_tls(&mut self.stream)?;
        }
        Ok(std::mem::take(&mut self.pending))
    }
}
