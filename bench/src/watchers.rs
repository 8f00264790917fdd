//! Operators who look at a server by HTTP: browsers with weir's page open, and Prometheus.
//!
//! A browser listens to events and asks again for what its view shows, as the page's script does.
//! They run beside the load client, on its core, until the value is dropped.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

/// Those who look.
#[derive(Debug)]
pub struct Watchers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    /// Events and answers that came.
    answers: AtomicU64,
}

impl Watchers {
    /// Opens a browser for each list of what a view asks for and how often, and lets Prometheus
    /// scrape at once and then in this interval.
    pub fn start(http: SocketAddr, views: Vec<Vec<Poll>>, scrape_interval: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        let scrape = Poll {
            path: "/metrics".to_owned(),
            interval: scrape_interval,
        };
        for polls in views.into_iter().chain([vec![scrape]]) {
            let is_browser = polls.iter().all(|poll| poll.path != "/metrics");
            if is_browser {
                let shared = Arc::clone(&shared);
                threads.push(thread::spawn(move || listen(http, &shared)));
            }
            let shared = Arc::clone(&shared);
            threads.push(thread::spawn(move || ask_again(http, &polls, &shared)));
        }
        Self { shared, threads }
    }

    /// Lets them go; how many events and answers they got.
    ///
    /// # Errors
    /// When one of them was refused or got no answer.
    pub fn stop(mut self) -> Result<u64> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(result) => result?,
                Err(_) => bail!("a watcher panicked"),
            }
        }
        Ok(self.shared.answers.load(Ordering::Relaxed))
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

/// A path that is asked for again and again.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The path, with its parameters.
    pub path: String,
    /// How long after an answer it is asked for again.
    pub interval: Duration,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads events until it is over.
fn listen(http: SocketAddr, shared: &Shared) -> Result<()> {
    let mut stream = request(http, "/api/v1/events")?;
    stream.set_read_timeout(Some(LOOK_INTERVAL))?;
    let mut buffer = [0; 16 * 1024];
    while !shared.is_over() {
        match stream.read(&mut buffer) {
            Ok(0) => bail!("the server ended the events"),
            Ok(_) => shared.count(),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Asks for each path when it is due, until it is over.
fn ask_again(http: SocketAddr, polls: &[Poll], shared: &Shared) -> Result<()> {
    let mut due = vec![Instant::now(); polls.len()];
    while !shared.is_over() {
        for (poll, due) in polls.iter().zip(&mut due) {
            if *due <= Instant::now() {
                let mut answer = Vec::new();
                request(http, &poll.path)?.read_to_end(&mut answer)?;
                let head = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
                ensure!(head.starts_with("HTTP/1.1 200"), "{}: {head}", poll.path);
                shared.count();
                *due = Instant::now() + poll.interval;
            }
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}

fn request(http: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(http)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n"
    )?;
    Ok(stream)
}

/// How often watchers look whether it is over, and what is due.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
