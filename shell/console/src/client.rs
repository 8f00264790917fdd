//! A client of the server within its own process, who acts for the user that calls by HTTP.
//!
//! Its requests go the way of every other client's: admission by the rules of users, the slow log,
//! the journal. So the console can do nothing that the user cannot, and shows nothing of a key
//! before it is durable.

use std::io;

use server::Shard;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::limits::REPLY_BYTES_MAX;
use crate::reply::{NotAReply, Value};

/// The name of its connections in `CLIENT LIST`.
const NAME: &[u8] = b"console";

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

/// A connected client.
#[derive(Debug)]
pub(crate) struct Client {
    stream: UnixStream,
    received: Vec<u8>,
    /// It is in the middle of a reply: the next one would be taken for it.
    broken: bool,
}

/// Why there is no reply.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// The server does not serve yet, or no longer.
    #[error("the server does not serve clients: {0}")]
    Connection(#[from] io::Error),
    /// The reply is larger than the console holds.
    #[error("the reply is larger than {REPLY_BYTES_MAX} bytes; ask for less at once")]
    TooLarge,
    /// The reply is not one.
    #[error(transparent)]
    NotAReply(#[from] NotAReply),
    /// The server answered with an error, whose first word is its code.
    #[error("{0}")]
    Refused(String),
}

impl Client {
    /// Connects, as this user, or as the default user if that needs no password.
    pub(crate) async fn connect(
        shard: &Shard,
        credentials: Option<&Credentials>,
    ) -> Result<Client, ClientError> {
        let stream = shard.connect()?;
        stream.set_nonblocking(true)?;
        let mut client = Client {
            stream: UnixStream::from_std(stream)?,
            received: Vec::new(),
            broken: false,
        };
        let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some(Credentials { user, password }) = credentials {
            hello.extend([b"AUTH".as_slice(), user, password]);
        }
        hello.extend([b"SETNAME".as_slice(), NAME]);
        client.ask(&hello).await?;
        // Looking at keys is not using them. A user may lack the right to say so.
        client.request(&[b"CLIENT", b"NO-TOUCH", b"ON"]).await?;
        Ok(client)
    }

    /// Returns whether it can be used for another request.
    pub(crate) fn is_usable(&self) -> bool {
        !self.broken
    }

    /// The reply to a request; an error of the server's is an error here.
    pub(crate) async fn ask(&mut self, argv: &[&[u8]]) -> Result<Value, ClientError> {
        let reply = self.request(argv).await?;
        if let Value::Error(text) = reply {
            return Err(ClientError::Refused(text));
        }
        Ok(reply)
    }

    /// The reply to a request, whatever it is.
    pub(crate) async fn request(&mut self, argv: &[&[u8]]) -> Result<Value, ClientError> {
        let mut request = format!("*{}\r\n", argv.len()).into_bytes();
        for argument in argv {
            request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            request.extend_from_slice(argument);
            request.extend_from_slice(b"\r\n");
        }
        // Set before anything is awaited: whoever waits for this may give it up.
        self.broken = true;
        self.stream.write_all(&request).await?;
        let reply = self.reply().await?;
        self.broken = false;
        Ok(reply)
    }

    async fn reply(&mut self) -> Result<Value, ClientError> {
        // A long reply is not parsed again and again while it comes.
        let mut look_at_len = 0;
        loop {
            if self.received.len() >= look_at_len {
                if let Some((reply, len)) = Value::parse(&self.received)? {
                    self.received.drain(..len);
                    return Ok(reply);
                }
                look_at_len = self.received.len() * 2;
            }
            if self.received.len() > REPLY_BYTES_MAX {
                return Err(ClientError::TooLarge);
            }
            self.received.reserve(READ_BYTES);
            let room = self.received.capacity() - self.received.len();
            let len = self.stream.read_buf(&mut self.received).await?;
            if len == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            if len < room {
                look_at_len = 0;
            }
        }
    }
}
