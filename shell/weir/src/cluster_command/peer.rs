//! A connection to a node: one command after another, each with its reply.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// A user and the password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// Without the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A node that is connected.
#[derive(Debug)]
pub(super) struct Peer(BufReader<TcpStream>);

/// How long a node may take to welcome a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest reply that is read, in bytes. `INFO` is far shorter.
const REPLY_BYTES_MAX: u64 = 1 << 20;

impl Peer {
    /// Connects to `HOST:PORT`, as this user if one is named.
    ///
    /// # Errors
    /// Nobody answers there, or the user is refused.
    pub(super) fn connect(address: &str, login: Option<&Login>) -> anyhow::Result<Peer> {
        let resolved = address.to_socket_addrs();
        let mut resolved = resolved.with_context(|| format!("{address} is no HOST:PORT"))?;
        let at = resolved.next().context("the name has no address")?;
        let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut peer = Peer(BufReader::new(stream));
        if let Some(Login { user, password }) = login {
            peer.ask(&["AUTH", user, password])?;
        }
        Ok(peer)
    }

    /// Sends a command; the text of the reply.
    ///
    /// # Errors
    /// The reply is an error, or there is none.
    pub(super) fn ask(&mut self, words: &[&str]) -> anyhow::Result<String> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(request.as_bytes())?;
        read(&mut self.0)
    }
}

/// Reads a reply that is one text or number.
fn read(from: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    from.take(REPLY_BYTES_MAX).read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").context("the node hangs up")?;
    let Some((kind, rest)) = line.split_at_checked(1) else {
        bail!("the node does not speak RESP");
    };
    match kind {
        "+" | ":" => Ok(rest.to_owned()),
        "-" => bail!("{rest}"),
        "$" => {
            let length: u64 = rest.parse().context("the reply has no length")?;
            ensure!(length <= REPLY_BYTES_MAX, "the reply is too long");
            let mut text = String::new();
            from.take(length + 2).read_to_string(&mut text)?;
            let text = text.strip_suffix("\r\n").context("the node hangs up")?;
            Ok(text.to_owned())
        }
        _ => bail!("the node does not speak RESP"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &str) -> Result<String, String> {
        read(&mut bytes.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reply_is_a_text_or_an_error() {
        assert_eq!(of("+OK\r\n").as_deref(), Ok("OK"));
        assert_eq!(of("$5\r\na:1\r\n\r\n").as_deref(), Ok("a:1\r\n"));
        assert_eq!(of("-ERR no\r\n").unwrap_err(), "ERR no");
    }

    #[test]
    fn what_is_no_reply_or_too_long_is_refused() {
        let long = format!("${}\r\n", REPLY_BYTES_MAX + 1);
        assert_eq!(of(&long).unwrap_err(), "the reply is too long");
        let endless = "+".repeat(1 << 21);
        for bad in [
            "",
            "\r\n",
            "+OK",
            "$3\r\nab",
            "$-1\r\n",
            "HTTP/1.1\r\n",
            &endless,
        ] {
            assert!(of(bad).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
    }
}
