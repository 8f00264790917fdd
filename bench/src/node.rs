//! A running server of a peer: started on a free port in a folder of its own, measured, and stopped
//! by its id.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

use crate::control::{Control, Value};
use crate::peer::Peer;
use crate::process::{Cores, Placement, Process, place_this_thread};

/// How much of its data a server keeps on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    None,
    /// A journal, synced before each reply.
    Always,
    /// A journal, synced once a second.
    EverySecond,
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// What it keeps on disk.
    pub persistence: Persistence,
    /// Where it runs.
    pub placement: Placement,
    /// Threads for connections; the same for every peer.
    pub io_threads: u32,
    /// Further flags, the same for every peer.
    pub flags: Vec<(&'static str, String)>,
}

/// A server process and the folder that it writes to.
#[derive(Debug)]
pub struct Node {
    child: Child,
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl Node {
    /// Starts a server in a new folder below `parent` and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started, ends by itself, or does not answer in time; with the end of its
    /// log.
    pub fn start(
        peer: &Peer,
        settings: &NodeSettings,
        cores: Cores,
        parent: &Path,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("node-")
            .tempdir_in(parent)?;
        Self::start_in(folder, peer, settings, cores)
    }

    /// Starts a server on a folder that another one may have left, and waits until it answers.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start_in(
        folder: TempDir,
        peer: &Peer,
        settings: &NodeSettings,
        cores: Cores,
    ) -> Result<Self> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = log_path(&folder);
        let (appendonly, appendfsync) = match settings.persistence {
            Persistence::None => ("no", "everysec"),
            Persistence::Always => ("yes", "always"),
            Persistence::EverySecond => ("yes", "everysec"),
        };
        let mut command = Command::new(&peer.binary);
        command
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--appendonly", appendonly, "--appendfsync", appendfsync])
            .arg("--dir")
            .arg(folder.path())
            .args(["--io-threads", &settings.io_threads.to_string()])
            .stdin(Stdio::null())
            .stdout(File::options().create(true).append(true).open(&log)?)
            .stderr(File::options().create(true).append(true).open(&log)?);
        for (flag, value) in &settings.flags {
            command.args([&format!("--{flag}"), value]);
        }
        // The child inherits the placement of this thread, so that threads which it starts at once
        // have it too.
        place_this_thread(settings.placement)?;
        let child = command
            .spawn()
            .with_context(|| format!("starting {}", peer.binary.display()));
        place_this_thread(Placement::Core(cores.load))?;
        let child = child?;
        let process = Process::new(child.id())?;
        let mut node = Self {
            child,
            process,
            address,
            folder,
        };
        node.wait_until_it_answers()
            .with_context(|| format!("{}: {}", peer.name, tail(&log)))?;
        Ok(node)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn process(&self) -> Process {
        self.process
    }

    /// A new connection for questions.
    ///
    /// # Errors
    /// When it does not accept one.
    pub fn control(&self) -> Result<Control> {
        Control::connect(self.address)
    }

    /// Stops it as an operator would, and waits until it is gone; its folder stays.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(mut self) -> Result<TempDir> {
        kill(self.process.pid(), Signal::SIGTERM)?;
        let since = Instant::now();
        while self.child.try_wait()?.is_none() {
            if since.elapsed() > STOP_TIMEOUT {
                bail!(
                    "the server did not end after SIGTERM: {}",
                    tail(&log_path(&self.folder))
                );
            }
            thread::sleep(POLL_INTERVAL);
        }
        let parent = self
            .folder
            .path()
            .parent()
            .context("parent of the folder")?
            .to_owned();
        Ok(std::mem::replace(
            &mut self.folder,
            tempfile::tempdir_in(parent)?,
        ))
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended by itself: {status}");
            }
            // A server that still loads its data answers with an error.
            let answer =
                Control::connect(self.address).and_then(|mut control| control.ask(&["PING"]));
            if matches!(answer, Ok(Value::Text(_))) {
                return Ok(());
            }
            if since.elapsed() > START_TIMEOUT {
                bail!("the server does not answer: {answer:?}");
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_path(folder: &TempDir) -> PathBuf {
    folder.path().join("server.log")
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

const POLL_INTERVAL: Duration = Duration::from_millis(2);
const START_TIMEOUT: Duration = Duration::from_secs(120);
const STOP_TIMEOUT: Duration = Duration::from_secs(120);
