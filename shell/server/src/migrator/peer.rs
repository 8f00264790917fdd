//! The server that keys go to.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use engine::error::MigrationError;
use engine::server::migrations::Target;

use super::LOOK;
use crate::limits::{
    MIGRATION_ADDRESSES_MAX, MIGRATION_PIECE_BYTES, MIGRATION_REPLY_BYTES_MAX,
    MIGRATION_STEP_MS_MAX,
};

/// A connection to a server. Each of its steps, a connection, a piece that is written, a reply,
/// takes no longer than the request allows.
pub(super) struct Peer<'p> {
    stream: TcpStream,
    /// What has come and is not read, behind what is.
    input: Vec<u8>,
    timeout: Duration,
    /// Whether anybody waits for what comes of it.
    goes_on: &'p dyn Fn() -> bool,
}

impl<'p> Peer<'p> {
    /// Connects.
    pub(super) fn connect(
        target: &Target,
        goes_on: &'p dyn Fn() -> bool,
    ) -> Result<Peer<'p>, MigrationError> {
        let timeout = Duration::from_millis(target.timeout_ms.min(MIGRATION_STEP_MS_MAX));
        let host = std::str::from_utf8(&target.host).map_err(|_| MigrationError::NoAddress)?;
        let addresses = (host, target.port).to_socket_addrs();
        let addresses = addresses.map_err(|_| MigrationError::NoAddress)?;
        let mut connected = addresses
            .take(MIGRATION_ADDRESSES_MAX)
            .map(|address| TcpStream::connect_timeout(&address, timeout));
        let stream = connected.find_map(Result::ok);
        let stream = stream.ok_or(MigrationError::NotSent)?;
        // Only the delay of small pieces depends on it.
        stream.set_nodelay(true).ok();
        Ok(Peer {
            stream,
            input: Vec::new(),
            timeout,
            goes_on,
        })
    }

    /// Sends a request, and reads the reply.
    pub(super) fn ask(&mut self, words: &[&[u8]]) -> Result<(), MigrationError> {
        self.send(words)?;
        self.reply()
    }

    /// Sends a request.
    pub(super) fn send(&mut self, words: &[&[u8]]) -> Result<(), MigrationError> {
        let mut head = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            head.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            // A large one is not copied.
            if word.len() < MIGRATION_PIECE_BYTES {
                head.extend_from_slice(word);
            } else {
                self.write(&head)?;
                self.write(word)?;
                head.clear();
            }
            head.extend_from_slice(b"\r\n");
        }
        self.write(&head)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), MigrationError> {
        for piece in bytes.chunks(MIGRATION_PIECE_BYTES) {
            let mut left = piece;
            let begun = Instant::now();
            while !left.is_empty() {
                let wait = self.wait_of(begun).ok_or(MigrationError::NotSent)?;
                let written = self.stream.set_write_timeout(Some(wait));
                match written.and_then(|()| self.stream.write(left)) {
                    Ok(0) => return Err(MigrationError::NotSent),
                    Ok(count) => left = left.get(count..).unwrap_or_default(),
                    Err(error) if self.may_try_again(&error) => {}
                    Err(_) => return Err(MigrationError::NotSent),
                }
            }
        }
        Ok(())
    }

    /// Reads a reply: the target has done what it was asked for, or an error.
    pub(super) fn reply(&mut self) -> Result<(), MigrationError> {
        let begun = Instant::now();
        let end = loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                break end;
            }
            if self.input.len() > MIGRATION_REPLY_BYTES_MAX {
                return Err(MigrationError::NotAnswered);
            }
            let wait = self.wait_of(begun).ok_or(MigrationError::NotAnswered)?;
            let mut read = [0; MIGRATION_REPLY_BYTES_MAX];
            let set = self.stream.set_read_timeout(Some(wait));
            match set.and_then(|()| self.stream.read(&mut read)) {
                Ok(0) => return Err(MigrationError::NotAnswered),
                Ok(count) => self.input.extend(read.iter().take(count)),
                Err(error) if self.may_try_again(&error) => {}
                Err(_) => return Err(MigrationError::NotAnswered),
            }
        };
        let line: Vec<u8> = self.input.drain(..end + 2).take(end).collect();
        match line.split_first() {
            Some((b'+', _)) => Ok(()),
            Some((b'-', error)) => {
                let error = String::from_utf8_lossy(error).into_owned();
                Err(MigrationError::Refused(error))
            }
            _ => Err(MigrationError::NotAnswered),
        }
    }

    /// How long a step that has begun then may wait, for now; `None` if it takes too long.
    fn wait_of(&self, begun: Instant) -> Option<Duration> {
        let left = self.timeout.checked_sub(begun.elapsed())?;
        // The sockets know no time of zero.
        (!left.is_zero()).then(|| left.min(LOOK))
    }

    /// Returns whether a step that has waited goes on: somebody waits for what comes of it.
    fn may_try_again(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Interrupted => true,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => (self.goes_on)(),
            _ => false,
        }
    }
}
