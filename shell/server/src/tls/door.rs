//! The door for fuzzers, which are crates of their own: the server's end of encrypted connections,
//! and nothing of what is behind it.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream as StdTcpStream};

use engine::config::TlsConfig;
use mio::net::TcpStream;

use super::{Identity, Tls};
use crate::limits::READ_BYTES;

/// Where connections come in.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    identity: Identity,
}

/// The server's end of a connection.
#[derive(Debug)]
pub struct End(Tls);

impl Door {
    /// A door that shows what the settings say.
    ///
    /// # Errors
    /// The settings are not right, or there is no port.
    pub fn new(config: &TlsConfig) -> io::Result<Door> {
        let identity = Identity::of(config).map_err(io::Error::other)?;
        Ok(Door {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            identity: identity.ok_or(io::ErrorKind::InvalidInput)?,
        })
    }

    /// Both ends of a new connection. Neither blocks.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(&self) -> io::Result<(StdTcpStream, End)> {
        let client = StdTcpStream::connect(self.listener.local_addr()?)?;
        client.set_nonblocking(true)?;
        let (server, _) = self.listener.accept()?;
        server.set_nonblocking(true)?;
        let tls = Tls::new(TcpStream::from_std(server), self.identity.config())?;
        Ok((client, End(tls)))
    }
}

impl End {
    /// Reads what is there, as a thread of the server does in a turn; what came of it.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        match self.0.receive(&mut buffer) {
            Ok(_) => Ok(buffer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the client has not shown yet who it is and that it can read what is sent.
    pub fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }
}
