//! A thread that sends PING a thousand times a second and records the longest time between two
//! replies.
//!
//! A server that stalls for 100 ms, for whatever reason, leaves a gap of 100 ms here. So does a
//! machine that gives neither the pinger nor the server a core, which is why a gap is always shown
//! beside that of a quiet phase.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running pinger.
#[derive(Debug)]
pub struct Pinger {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Nanoseconds; taken and set to 0 by [`Pinger::lap`].
    longest_gap: AtomicU64,
    longest_round_trip: AtomicU64,
    replies: AtomicU64,
}

/// What a pinger saw since it was asked last.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    /// Longest time between two replies.
    pub longest: Duration,
    /// Longest time between a PING and its reply.
    pub round_trip: Duration,
    /// Replies that came.
    pub replies: u64,
}

impl Pinger {
    /// Connects and begins.
    ///
    /// # Errors
    /// When the server does not accept the connection.
    pub fn start(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = thread::spawn(move || ping(stream, &for_thread));
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// What was seen since the last call, or since the start.
    pub fn lap(&self) -> Gap {
        let take = |number: &AtomicU64| number.swap(0, Ordering::Relaxed);
        Gap {
            longest: Duration::from_nanos(take(&self.shared.longest_gap)),
            round_trip: Duration::from_nanos(take(&self.shared.longest_round_trip)),
            replies: take(&self.shared.replies),
        }
    }

    /// Ends the thread.
    ///
    /// # Errors
    /// When a reply was wrong or did not come.
    pub fn stop(mut self) -> Result<()> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let thread = self
            .thread
            .take()
            .context("the pinger was stopped already")?;
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("the pinger panicked"))?
    }
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn ping(mut stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut reply = [0; 7];
    let mut due = Instant::now();
    let mut last_reply = due;
    while !shared.stop.load(Ordering::Relaxed) {
        let sent = Instant::now();
        stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
        stream
            .read_exact(&mut reply)
            .context("waiting for the reply to PING")?;
        if reply != *b"+PONG\r\n" {
            bail!("PING was answered by {:?}", String::from_utf8_lossy(&reply));
        }
        let now = Instant::now();
        shared
            .longest_gap
            .fetch_max((now - last_reply).as_nanos() as u64, Ordering::Relaxed);
        shared
            .longest_round_trip
            .fetch_max((now - sent).as_nanos() as u64, Ordering::Relaxed);
        shared.replies.fetch_add(1, Ordering::Relaxed);
        last_reply = now;
        // After a stall the missed PINGs are not sent later.
        due = (due + INTERVAL).max(now);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

const INTERVAL: Duration = Duration::from_millis(1);
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
