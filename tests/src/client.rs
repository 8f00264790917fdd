//! A small blocking client: sends requests, decodes replies of both protocols.
//!
//! It hides nothing: a closed connection is a value ([`Value::Closed`]), pushes are replies like
//! any other, and what was sent may be bytes that are not a request at all. Every wait ends after a
//! timeout.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::value::Value;

/// How long a reply may take.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// Aggregates within aggregates that are followed.
const NESTING_DEPTH_MAX: usize = 64;

/// Room asked for before the elements of an aggregate were seen.
const ELEMENTS_RESERVED_MAX: usize = 1024;

/// Bytes read from the socket at once.
const READ_BYTES: usize = 64 * 1024;

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// What a connection begins with.
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// Why there is not a reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket failed, or the reply did not come in time.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What came is not a reply.
    #[error("not a reply: {0}")]
    Malformed(String),
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    input: Vec<u8>,
    /// Where the unread part of `input` begins.
    start: usize,
}

impl Client {
    /// Connects, and says `HELLO 3` for RESP3.
    ///
    /// # Errors
    /// When the server cannot be reached or does not know `HELLO`.
    pub fn connect(address: SocketAddr, protocol: Protocol) -> Result<Self, ClientError> {
        let stream = TcpStream::connect_timeout(&address, REPLY_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
        let mut client = Self {
            stream,
            input: Vec::new(),
            start: 0,
        };
        if protocol == Protocol::Resp3 {
            match client.command(&["HELLO", "3"])? {
                Value::Map(_) => {}
                other => return Err(ClientError::Malformed(format!("HELLO 3: {other}"))),
            }
        }
        Ok(client)
    }

    /// Sends a request and reads one reply.
    ///
    /// # Errors
    /// When the socket fails, the reply does not come in time, or is none.
    pub fn command(&mut self, args: &[impl AsRef<[u8]>]) -> Result<Value, ClientError> {
        self.send(args)?;
        self.read()
    }

    /// Sends a request. A connection that the server has closed is not an error: the next read
    /// shows it.
    ///
    /// # Errors
    /// When the socket fails otherwise.
    pub fn send(&mut self, args: &[impl AsRef<[u8]>]) -> Result<(), ClientError> {
        let mut bytes = Vec::with_capacity(64);
        encode(&mut bytes, args);
        self.send_raw(&bytes)
    }

    /// Sends bytes as they stand. A connection that the server has closed is not an error: the next
    /// read shows it.
    ///
    /// # Errors
    /// When the socket fails otherwise.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        match self.stream.write_all(bytes) {
            Err(error) if gone(&error) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Reads one reply; [`Value::Closed`] when the server has closed the connection.
    ///
    /// # Errors
    /// When the socket fails, the reply does not come in time, or is none.
    pub fn read(&mut self) -> Result<Value, ClientError> {
        self.reply(0)
    }

    /// Returns whether something came that was not read yet, or the server has closed the
    /// connection. Does not wait.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn has_input(&mut self) -> Result<bool, ClientError> {
        if self.start < self.input.len() {
            return Ok(true);
        }
        self.stream.set_nonblocking(true)?;
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false)?;
        match peeked {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if gone(&error) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// This end's address, by which `CLIENT LIST` tells the connection.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn address(&self) -> Result<SocketAddr, ClientError> {
        Ok(self.stream.local_addr()?)
    }

    fn reply(&mut self, depth: usize) -> Result<Value, ClientError> {
        if depth > NESTING_DEPTH_MAX {
            return Err(ClientError::Malformed("nested too deeply".to_owned()));
        }
        let Some(line) = self.line()? else {
            return Ok(Value::Closed);
        };
        let Some((&kind, rest)) = line.split_first() else {
            return Err(ClientError::Malformed("an empty line".to_owned()));
        };
        let value = match kind {
            b'+' => Value::Simple(rest.to_vec()),
            b'-' => Value::Error(rest.to_vec()),
            b':' => Value::Int(number(rest)?),
            b'_' => Value::Nil,
            b',' => Value::Double(text(rest)?),
            b'(' => Value::Big(text(rest)?),
            b'#' => Value::Bool(rest == b"t"),
            b'$' | b'=' | b'!' => match count(rest)? {
                None => Value::Nil,
                Some(length) => {
                    let bytes = self.exactly(length)?;
                    match (kind, bytes.split_first_chunk::<3>()) {
                        (b'!', _) => Value::Error(bytes),
                        (b'=', Some((format, [b':', text @ ..]))) => {
                            Value::Verbatim(*format, text.to_vec())
                        }
                        (b'=', _) => {
                            return Err(ClientError::Malformed("verbatim string".to_owned()));
                        }
                        _ => Value::Bulk(bytes),
                    }
                }
            },
            b'*' | b'~' | b'>' => match count(rest)? {
                None => Value::Nil,
                Some(length) => {
                    let elements = self.replies(length, depth)?;
                    match kind {
                        b'*' => Value::Array(elements),
                        b'~' => Value::Set(elements),
                        _ => Value::Push(elements),
                    }
                }
            },
            b'%' => {
                let length = count(rest)?.unwrap_or(0);
                let mut halves = self.replies(length.saturating_mul(2), depth)?.into_iter();
                let mut pairs = Vec::new();
                while let (Some(key), Some(value)) = (halves.next(), halves.next()) {
                    pairs.push((key, value));
                }
                Value::Map(pairs)
            }
            // Attributes stand before the reply that they describe, and change nothing in it.
            b'|' => {
                let length = count(rest)?.unwrap_or(0);
                self.replies(length.saturating_mul(2), depth)?;
                self.reply(depth + 1)?
            }
            _ => {
                return Err(ClientError::Malformed(line.escape_ascii().to_string()));
            }
        };
        Ok(value)
    }

    fn replies(&mut self, count: usize, depth: usize) -> Result<Vec<Value>, ClientError> {
        let mut values = Vec::with_capacity(count.min(ELEMENTS_RESERVED_MAX));
        for _ in 0..count {
            match self.reply(depth + 1)? {
                Value::Closed => return Err(cut()),
                value => values.push(value),
            }
        }
        Ok(values)
    }

    /// A line without its end; none when the connection closed between two replies.
    fn line(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut searched = 0;
        loop {
            let unread = &self.input[self.start..];
            if let Some(at) = unread[searched..].windows(2).position(|two| two == b"\r\n") {
                let line = unread[..searched + at].to_vec();
                self.start += searched + at + 2;
                return Ok(Some(line));
            }
            searched = unread.len().saturating_sub(1);
            if !self.fill()? {
                return if self.start == self.input.len() {
                    Ok(None)
                } else {
                    Err(cut())
                };
            }
        }
    }

    /// `length` bytes and the line end that follows them.
    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, ClientError> {
        while self.input.len() - self.start < length.saturating_add(2) {
            if !self.fill()? {
                return Err(cut());
            }
        }
        let bytes = self.input[self.start..self.start + length].to_vec();
        self.start += length + 2;
        Ok(bytes)
    }

    /// Reads more; false when the connection is closed.
    fn fill(&mut self) -> Result<bool, ClientError> {
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        } else if self.start > READ_BYTES {
            self.input.drain(..self.start);
            self.start = 0;
        }
        let filled = self.input.len();
        self.input.resize(filled + READ_BYTES, 0);
        let read = self.stream.read(&mut self.input[filled..]);
        let bytes = match &read {
            Ok(bytes) => *bytes,
            Err(_) => 0,
        };
        self.input.truncate(filled + bytes);
        match read {
            Ok(bytes) => Ok(bytes > 0),
            Err(error) if gone(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Appends a request to `out`.
pub fn encode(out: &mut Vec<u8>, args: &[impl AsRef<[u8]>]) {
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

fn gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
    )
}

fn cut() -> ClientError {
    ClientError::Malformed("the connection closed within a reply".to_owned())
}

fn text(bytes: &[u8]) -> Result<String, ClientError> {
    String::from_utf8(bytes.to_vec())
        .map_err(|_| ClientError::Malformed(bytes.escape_ascii().to_string()))
}

fn number(bytes: &[u8]) -> Result<i64, ClientError> {
    text(bytes)?
        .parse()
        .map_err(|_| ClientError::Malformed(bytes.escape_ascii().to_string()))
}

/// A length; none for -1.
fn count(bytes: &[u8]) -> Result<Option<usize>, ClientError> {
    match number(bytes)? {
        -1 => Ok(None),
        number => usize::try_from(number)
            .map(Some)
            .map_err(|_| ClientError::Malformed(bytes.escape_ascii().to_string())),
    }
}
