//! Attacking clients: one that sends requests and reads the replies, and others that read nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::reply::Scanner;
use crate::request::encode;
use crate::script::Request;

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Replies that were complete.
    pub replies: u64,
    /// The first error among them, or why the connection ended before its time.
    pub refusal: Option<String>,
}

/// Sends requests on a connection of their own and reads all replies. A server that ends the
/// connection has refused them, which is not an error here.
///
/// # Errors
/// When the server does not answer in time, or what it sends is not a reply.
pub fn send(address: SocketAddr, requests: &[Request]) -> Result<Answers> {
    let mut answers = Answers::default();
    let expected: u64 = requests.iter().map(Request::times).sum();
    if expected == 0 {
        return Ok(answers);
    }
    let mut stream = connect(address)?;
    let writer = write_all(stream.try_clone()?, requests.to_vec());
    let mut scanner = Scanner::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    let since = Instant::now();
    while answers.replies < expected {
        match stream.read(&mut buffer) {
            Ok(0) => {
                answers.refusal = Some("the connection was closed".to_owned());
                break;
            }
            Ok(count) => answers.replies += scanner.feed(&buffer[..count])?,
            Err(error) if is_closed(&error) => {
                answers.refusal = Some("the connection was closed".to_owned());
                break;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{} of {expected} replies came", answers.replies));
            }
        }
        if since.elapsed() > ATTACK_TIMEOUT {
            bail!("{} of {expected} replies came in time", answers.replies);
        }
    }
    // The writer ends, if it has not, when its connection does.
    stream.shutdown(Shutdown::Both).ok();
    if writer.join().is_err() {
        bail!("the writer panicked");
    }
    if let Some(error) = scanner.first_error() {
        answers.refusal = Some(error.to_owned());
    }
    Ok(answers)
}

/// Clients that send and never read. Dropping them ends their connections.
#[derive(Debug)]
pub struct Deaf {
    clients: Vec<(TcpStream, JoinHandle<()>)>,
}

impl Deaf {
    /// Connects this many clients, each of which sends these requests.
    ///
    /// # Errors
    /// When the server refuses a connection.
    pub fn start(address: SocketAddr, count: u64, requests: &[Request]) -> Result<Deaf> {
        let mut clients = Vec::new();
        for _ in 0..count {
            let stream = connect(address)?;
            let writer = write_all(stream.try_clone()?, requests.to_vec());
            clients.push((stream, writer));
        }
        Ok(Deaf { clients })
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        for (stream, writer) in self.clients.drain(..) {
            stream.shutdown(Shutdown::Both).ok();
            // It ends with its connection, and has nothing to tell.
            writer.join().ok();
        }
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ATTACK_TIMEOUT))?;
    Ok(stream)
}

/// Sends requests until all are sent or the connection ends. Most of the last megabytes are made
/// before they are sent, so that making them does not slow down the attack.
fn write_all(mut stream: TcpStream, requests: Vec<Request>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut out = Vec::new();
        for request in requests {
            for serial in 0..request.times() {
                request.write(serial, &mut out);
                if out.len() >= BUFFER_BYTES {
                    if stream.write_all(&out).is_err() {
                        return;
                    }
                    out.clear();
                }
            }
        }
        // The reader sees that the connection has ended.
        stream.write_all(&out).ok();
    })
}

/// Waits until the server has no more to do for anybody: it answers a PING.
///
/// # Errors
/// When it does not.
pub fn settle(address: SocketAddr) -> Result<()> {
    let mut stream = connect(address)?;
    let mut ping = Vec::new();
    encode(&[b"PING"], &mut ping);
    stream.write_all(&ping)?;
    stream.read_exact(&mut [0; 7]).context("PING")
}

fn is_closed(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

const BUFFER_BYTES: usize = 1 << 20;
const ATTACK_TIMEOUT: Duration = Duration::from_secs(100);
