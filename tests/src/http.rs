//! A client of HTTP that sends exactly what a test says, malformed or not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::server::Server;

/// How long an answer may take; generous, since test machines are busy.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of its status.
    pub status: u16,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A free port of the loopback.
///
/// # Errors
/// What the system says.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Starts a server that also speaks HTTP, and returns where.
///
/// # Errors
/// As [`Server::start_with`].
pub fn serve(binary: &Path, settings: &[(&str, &str)]) -> Result<(Server, SocketAddr)> {
    let port = free_port()?;
    let text = port.to_string();
    let all: Vec<_> = [("http-port", text.as_str())]
        .into_iter()
        .chain(settings.iter().copied())
        .collect();
    let server = Server::start_with(binary, &all)?;
    Ok((server, SocketAddr::from(([127, 0, 0, 1], port))))
}

/// Asks for a path.
///
/// # Errors
/// When nobody answers.
pub fn get(at: SocketAddr, path: &str) -> Result<Answer> {
    ask(at, "GET", path, &[], "")
}

/// Sends a request with these headers beside the usual ones. One of the usual that is given too is
/// replaced.
///
/// # Errors
/// When nobody answers.
pub fn ask(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer> {
    let host = at.to_string();
    let length = body.len().to_string();
    let usual = [
        ("host", host.as_str()),
        ("content-length", length.as_str()),
        ("connection", "close"),
    ];
    let usual = usual
        .iter()
        .filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in usual.chain(headers) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let mut stream = connect(at)?;
    // A server that refuses what it has read so far may not read the rest.
    stream.write_all(request.as_bytes()).ok();
    read(&mut stream)
}

/// A connection to it.
///
/// # Errors
/// When it cannot be reached.
pub fn connect(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Reads an answer whose connection is closed after it.
///
/// # Errors
/// When it does not come, or is none.
pub fn read(stream: &mut impl Read) -> Result<Answer> {
    let mut received = Vec::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => received.extend_from_slice(&buffer[..len]),
            // It was closed before all that was sent to it was read.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error.into()),
        }
    }
    parse(&String::from_utf8_lossy(&received))
}

fn parse(text: &str) -> Result<Answer> {
    let (head, body) = text.split_once("\r\n\r\n").context("there is no answer")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer {
        status: status.context("there is no status")?.parse()?,
        headers,
        body: body.to_owned(),
    })
}
