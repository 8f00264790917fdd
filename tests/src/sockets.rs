//! Bare sockets: what a test sends and reads byte by byte, and what it waits for meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::peers;
use crate::server::Server;

/// How long something may take that happens by itself.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A weir with these settings.
pub fn server(settings: &[(&str, &str)]) -> Server {
    Server::start_with(&peers::weir().unwrap(), settings).unwrap()
}

/// A connection that gives up after [`PATIENCE`].
pub fn raw(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request as clients send it.
pub fn request(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The next bytes, this many of them.
pub fn read_exactly(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// The reply to a command, which is a text.
pub fn text(client: &mut Client, command: &[&str]) -> String {
    let reply = client.command(command).unwrap();
    String::from_utf8(reply.as_bytes().unwrap().to_vec()).unwrap()
}

/// The number behind a name in `INFO`.
pub fn figure(client: &mut Client, name: &str) -> usize {
    figure_in(&text(client, &["INFO", "everything"]), name)
}

/// The number behind a name in what INFO replied.
///
/// # Panics
/// If the name is not there, or no number behind it.
pub fn figure_in(info: &str, name: &str) -> usize {
    let mut pairs = info.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(found, _)| *found == name).unwrap();
    value.trim().parse().unwrap()
}

/// Waits until something holds.
///
/// # Panics
/// If that takes longer than [`PATIENCE`].
pub fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it does not come about");
        thread::yield_now();
    }
}
