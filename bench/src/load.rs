//! The load client: many connections in one thread, each sending a batch and waiting for all of its
//! replies.
//!
//! A closed loop: the number of connections and the batch size say how much is in flight. The
//! client runs on a core of its own, pre-encodes requests, and only counts replies, so that it
//! costs less than the servers it measures. Latency is that of a batch: from the moment it is
//! written to the moment its last reply has been read.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use xxhash_rust::xxh3::Xxh3Default;

use crate::process::own_cpu_time;
use crate::reply::Scanner;
use crate::request::mix;
use crate::tls::Client as TlsClient;
use crate::wire::Wire;

/// What is sent on each connection.
pub trait Source {
    /// Appends the next batch for a connection and returns how many replies it will have; 0 ends
    /// that connection's part. What a connection sends must not depend on the time or on the other
    /// connections.
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64;
}

/// How replies are compared between peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Types and sizes only, where IDs made from the clock differ from run to run.
    Shape,
    /// Every byte.
    Bytes,
}

/// What a run of the load client found.
#[derive(Debug)]
pub struct Outcome {
    /// Replies received.
    pub replies: u64,
    /// Bytes received.
    pub reply_bytes: u64,
    /// From the first byte sent to the last reply.
    pub elapsed: Duration,
    /// CPU time of the load client itself.
    pub client_cpu: Duration,
    /// Nanoseconds per batch.
    pub batch_latency_ns: Histogram<u64>,
    /// Digest of all replies, connection by connection.
    pub digest: u64,
}

/// Connections to one server.
pub struct Load {
    epoll: Epoll,
    clients: Vec<Client>,
    buffer: Box<[u8]>,
}

struct Client {
    stream: Wire,
    scanner: Scanner,
    digest: Xxh3Default,
    out: Vec<u8>,
    sent: usize,
    /// Whether the kernel took less than was offered, so that the rest waits for `EPOLLOUT`.
    stuck: bool,
    waiting_for: u64,
    since: Instant,
}

impl Load {
    /// Opens this many connections.
    ///
    /// # Errors
    /// When the server refuses one.
    pub fn connect(address: SocketAddr, count: usize) -> Result<Self> {
        Self::connect_by(None, address, count)
    }

    /// Opens this many connections by TLS, if there is a client of TLS.
    ///
    /// # Errors
    /// When the server refuses one, or is not to be trusted.
    pub fn connect_by(tls: Option<&TlsClient>, address: SocketAddr, count: usize) -> Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut clients = Vec::with_capacity(count);
        for index in 0..count {
            let stream = Wire::connect(address, tls)
                .with_context(|| format!("connection {index} of {count}"))?;
            epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            clients.push(Client {
                stream,
                scanner: Scanner::default(),
                digest: Xxh3Default::new(),
                out: Vec::new(),
                sent: 0,
                stuck: false,
                waiting_for: 0,
                since: Instant::now(),
            });
        }
        Ok(Self {
            epoll,
            clients,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        })
    }

    /// Number of connections.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Returns whether it has no connection.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Sends what the source has, on all connections at once, until it ends on each.
    ///
    /// # Errors
    /// When a reply is an error, when a connection breaks, or when the server stops replying.
    pub fn run(&mut self, source: &mut dyn Source, check: Check) -> Result<Outcome> {
        let mut latency = new_histogram()?;
        let (mut replies, mut reply_bytes, mut active) = (0, 0, 0);
        for client in &mut self.clients {
            client.scanner.reset();
            client.digest.reset();
        }
        let (started, client_cpu) = (Instant::now(), own_cpu_time()?);
        for index in 0..self.clients.len() {
            active += usize::from(self.send_next(index, source)?);
        }
        let mut events = [EpollEvent::empty(); EVENT_COUNT];
        while active > 0 {
            let count = self.wait(&mut events)?;
            for event in &events[..count] {
                let index = event.data() as usize;
                if event.events().contains(EpollFlags::EPOLLOUT) {
                    self.flush(index)?;
                }
                let received = self.receive(index, check)?;
                reply_bytes += received.bytes;
                replies += received.replies;
                let client = &self.clients[index];
                if received.replies > 0 && client.waiting_for == 0 {
                    latency.saturating_record(client.since.elapsed().as_nanos() as u64);
                    if !self.send_next(index, source)? {
                        active -= 1;
                    }
                }
            }
        }
        let elapsed = started.elapsed();
        let client_cpu = own_cpu_time()?.saturating_sub(client_cpu);
        self.fail_on_error_replies()?;
        let digest = self.digest(check);
        Ok(Outcome {
            replies,
            reply_bytes,
            elapsed,
            client_cpu,
            batch_latency_ns: latency,
            digest,
        })
    }

    /// Sends a request on one connection without waiting.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn send(&mut self, index: usize, request: &[u8], replies: u64) -> Result<()> {
        let client = &mut self.clients[index];
        client.out.extend_from_slice(request);
        client.waiting_for += replies;
        client.since = Instant::now();
        self.flush(index)
    }

    /// Waits until every request sent so far is answered.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn settle(&mut self, check: Check) -> Result<()> {
        let mut missing: usize = self
            .clients
            .iter()
            .filter(|client| client.waiting_for > 0)
            .count();
        let mut events = [EpollEvent::empty(); EVENT_COUNT];
        while missing > 0 {
            let count = self.wait(&mut events)?;
            for event in &events[..count] {
                let index = event.data() as usize;
                if event.events().contains(EpollFlags::EPOLLOUT) {
                    self.flush(index)?;
                }
                let received = self.receive(index, check)?;
                if received.replies > 0 && self.clients[index].waiting_for == 0 {
                    missing -= 1;
                }
            }
        }
        self.fail_on_error_replies()
    }

    /// A digest of all replies since the last run began, connection by connection.
    pub fn digest(&self, check: Check) -> u64 {
        self.clients.iter().fold(0, |digest, client| {
            mix(digest
                ^ match check {
                    Check::Shape => client.scanner.shape(),
                    Check::Bytes => client.digest.digest(),
                })
        })
    }

    /// Forgets the digest of replies, where no run begins.
    pub fn reset_digest(&mut self) {
        for client in &mut self.clients {
            client.scanner.reset();
            client.digest.reset();
        }
    }

    fn send_next(&mut self, index: usize, source: &mut dyn Source) -> Result<bool> {
        let client = &mut self.clients[index];
        client.waiting_for = source.next_batch(index, &mut client.out);
        if client.waiting_for == 0 {
            return Ok(false);
        }
        client.since = Instant::now();
        self.flush(index)?;
        Ok(true)
    }

    fn flush(&mut self, index: usize) -> Result<()> {
        let client = &mut self.clients[index];
        loop {
            match client.stream.write(&client.out[client.sent..]) {
                Ok(written) => client.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut interest =
                        EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT, index as u64);
                    client.stuck = true;
                    return Ok(self.epoll.modify(&client.stream, &mut interest)?);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("writing to the server"),
            }
            if client.sent == client.out.len() {
                client.out.clear();
                client.sent = 0;
                if std::mem::take(&mut client.stuck) {
                    let mut interest = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
                    self.epoll.modify(&client.stream, &mut interest)?;
                }
                return Ok(());
            }
        }
    }

    fn receive(&mut self, index: usize, check: Check) -> Result<Received> {
        let client = &mut self.clients[index];
        let length = match client.stream.read(&mut self.buffer) {
            Ok(0) => bail!("the server closed connection {index}"),
            Ok(length) => length,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                0
            }
            Err(error) => return Err(error).context("reading from the server"),
        };
        let bytes = &self.buffer[..length];
        if check == Check::Bytes {
            client.digest.update(bytes);
        }
        let replies = client.scanner.feed(bytes)?;
        client.waiting_for = client
            .waiting_for
            .checked_sub(replies)
            .with_context(|| format!("connection {index} got more replies than requests"))?;
        Ok(Received {
            replies,
            bytes: length as u64,
        })
    }

    fn wait(&self, events: &mut [EpollEvent; EVENT_COUNT]) -> Result<usize> {
        let timeout = EpollTimeout::try_from(SILENCE_MAX)?;
        match self.epoll.wait(events, timeout) {
            Ok(0) => bail!("the server sent nothing for {SILENCE_MAX:?}"),
            Err(Errno::EINTR) => Ok(0),
            other => Ok(other?),
        }
    }

    fn fail_on_error_replies(&self) -> Result<()> {
        let count: u64 = self
            .clients
            .iter()
            .map(|client| client.scanner.error_count())
            .sum();
        match self
            .clients
            .iter()
            .find_map(|client| client.scanner.first_error())
        {
            Some(text) => bail!("{count} error replies, such as: {text}"),
            None => Ok(()),
        }
    }
}

/// A histogram of nanoseconds up to a minute, exact to a thousandth; what takes longer counts as a
/// minute.
///
/// # Errors
/// Never: its bounds are valid ones.
pub fn new_histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

struct Received {
    replies: u64,
    bytes: u64,
}

/// Large enough for a reply of a thousand entries in one read.
const BUFFER_BYTES: usize = 512 << 10;
const EVENT_COUNT: usize = 128;
/// How long a server may be silent while requests are open.
const SILENCE_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
