//! What clients resend by themselves: an append whose reply is lost is there twice, or the client
//! reports the error to its user. The guides name who does which.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use redis::TypedCommands;
use weir_tests::client::Protocol;
use weir_tests::peers;
use weir_tests::programs::{Outcome, node, python};
use weir_tests::server::Server;
use weir_tests::value::Value;

/// The line between a client and the server. It breaks once, when the reply to the first `XADD`
/// comes.
struct Line {
    server: SocketAddr,
    has_broken: AtomicBool,
}

impl Line {
    /// Sets it up, and returns where clients connect. It is there until the process ends.
    fn lay(server: SocketAddr) -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let line = Arc::new(Self {
            server,
            has_broken: AtomicBool::new(false),
        });
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let line = Arc::clone(&line);
                // A connection that ends is not a failure: the test looks at what is lost by it.
                thread::spawn(move || line.carry(&client).is_ok());
            }
        });
        Ok(port)
    }

    fn carry(&self, client: &TcpStream) -> Result<()> {
        let server = TcpStream::connect(self.server)?;
        let is_breaking = AtomicBool::new(false);
        let requests = || -> Result<()> {
            let (mut from, mut to) = (client, &server);
            let mut bytes = [0; 4096];
            while let read @ 1.. = from.read(&mut bytes)? {
                let sent = &bytes[..read];
                let appends = sent
                    .windows(4)
                    .any(|word| word.eq_ignore_ascii_case(b"xadd"));
                if appends && !self.has_broken.swap(true, Ordering::SeqCst) {
                    is_breaking.store(true, Ordering::SeqCst);
                }
                to.write_all(sent)?;
            }
            to.shutdown(Shutdown::Write)?;
            Ok(())
        };
        thread::scope(|scope| {
            scope.spawn(requests);
            let (mut from, mut to) = (&server, client);
            let mut bytes = [0; 4096];
            while let read @ 1.. = from.read(&mut bytes)? {
                if is_breaking.load(Ordering::SeqCst) {
                    break;
                }
                to.write_all(&bytes[..read])?;
            }
            to.shutdown(Shutdown::Both)?;
            Ok(())
        })
    }
}

/// Returns how often one append is in the stream, and what the client said to it.
fn appended(append: impl FnOnce(u16) -> Result<Option<String>>) -> Result<Option<(i64, String)>> {
    let server = Server::start(&peers::weir()?)?;
    let Some(said) = append(Line::lay(server.address())?)? else {
        return Ok(None);
    };
    let mut client = server.connect(Protocol::Resp2)?;
    let Value::Int(length) = client.command(&["XLEN", "s"])? else {
        anyhow::bail!("XLEN answers no number");
    };
    Ok(Some((length, said)))
}

/// The client appends a second time, silently.
fn sends_again(append: impl FnOnce(u16) -> Result<Outcome>) -> Result<()> {
    let Some((length, said)) = appended(|port| append(port)?.said())? else {
        return Ok(());
    };
    ensure!(said.trim() == "acknowledged", "{said}");
    ensure!(length == 2, "it is there {length} times");
    Ok(())
}

/// The client reports that it does not know, and leaves the rest to its user.
fn tells(append: impl FnOnce(u16) -> Result<Option<String>>) -> Result<()> {
    let Some((length, said)) = appended(append)? else {
        return Ok(());
    };
    ensure!(said.starts_with("lost: "), "{said}");
    ensure!(length == 1, "it is there {length} times");
    Ok(())
}

#[test]
fn redis_py_sends_again() {
    sends_again(|port| python("append.py", &[&port.to_string()])).unwrap();
}

#[test]
fn ioredis_sends_again() {
    sends_again(|port| node("append.js", &[&port.to_string(), "ioredis"])).unwrap();
}

#[test]
fn node_redis_tells_that_the_reply_was_lost() {
    tells(|port| node("append.js", &[&port.to_string(), "redis"])?.said()).unwrap();
}

#[test]
fn redis_rs_tells_that_the_reply_was_lost() {
    tells(|port| {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
        let mut connection = client.get_connection()?;
        let lost = connection.xadd("s", "*", &[("f", "v")]);
        Ok(Some(format!(
            "lost: {}",
            lost.err().context("a reply came")?
        )))
    })
    .unwrap();
}
