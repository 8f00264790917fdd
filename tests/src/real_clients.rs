//! Programs with real clients that produce and consume in a group of servers, as those of
//! [`exactly_once`](crate::exactly_once) do: each finds the leader in the way of its library, and
//! goes on by itself when another one leads.
//!
//! A program is called `PROGRAM sentinel|cluster GROUP PORT,PORT,… FIRST PACE` and has four
//! producers, numbered from FIRST. It prints what it was told, a line each, which is then audited
//! with the rest (`clients/group_*`), and ends when its input does.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

use crate::exactly_once::told::Told;
use crate::finder::Finder;
use crate::left_out;
use crate::programs::{Prepared, client_script, node_program, packaged_program, python_program};

/// How many producers a program has.
pub const PRODUCERS: u64 = 4;

/// How clients find the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They ask Sentinels.
    Sentinel,
    /// They ask nodes of a cluster.
    Cluster,
}

impl Mode {
    /// What programs call it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Sentinel => "sentinel",
            Mode::Cluster => "cluster",
        }
    }

    /// The settings of servers that clients of this kind work with.
    pub fn settings(self) -> Vec<(&'static str, String)> {
        let has_protocol = match self {
            Mode::Sentinel => "no",
            Mode::Cluster => "yes",
        };
        vec![("--cluster-protocol", has_protocol.to_owned())]
    }
}

/// A program to be started, and the library that it has.
#[derive(Debug)]
pub struct RealClient {
    /// The library.
    pub name: &'static str,
    command: Command,
}

/// Those that this machine can run. `redis_rs` is the program of that library, which is built with
/// the tests.
///
/// # Errors
/// When libraries cannot be installed, or one is missing where all are required.
pub fn all(redis_rs: &Path) -> Result<Vec<RealClient>> {
    let ruby: Prepared =
        packaged_program("ruby", &["ruby", "-e", "require 'redis'"], "group_redis.rb");
    let prepared = [
        (
            "redis-py",
            python_program(&client_script("group_redis_py.py"))?,
        ),
        ("ioredis", node_program(&client_script("group_ioredis.js"))?),
        (
            "node-redis",
            node_program(&client_script("group_node_redis.js"))?,
        ),
        ("ruby", ruby),
        ("redis-rs", Ok(Command::new(redis_rs))),
    ];
    let mut found = Vec::new();
    for (name, prepared) in prepared {
        match prepared {
            Ok(command) => found.push(RealClient { name, command }),
            Err(why) => left_out::note("WEIR_REQUIRE_CLIENTS", &why)?,
        }
    }
    Ok(found)
}

/// A program that runs until it is told to end, or dropped.
#[derive(Debug)]
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    listener: Option<JoinHandle<Result<()>>>,
    /// What it has said besides.
    output: NamedTempFile,
}

impl Program {
    /// Starts it. What it prints counts as told.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        client: RealClient,
        (mode, servers): (Mode, &Finder),
        (first, pace): (u64, Duration),
        told: &Arc<Told>,
    ) -> Result<Program> {
        let RealClient { name, mut command } = client;
        let output = NamedTempFile::new()?;
        let errors: File = output.reopen()?;
        let ports: Vec<String> = servers.ports.iter().map(u16::to_string).collect();
        let child = command
            .args([mode.name(), &servers.group, &ports.join(",")])
            .args([first.to_string(), pace.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .process_group(0)
            .spawn();
        let mut child = child.with_context(|| format!("starting {name}"))?;
        let printed = child.stdout.take().context("its output is a pipe")?;
        let told = Arc::clone(told);
        let listen = move || {
            for line in BufReader::new(printed).lines() {
                let line = line?;
                told.note(&line)
                    .with_context(|| format!("{name}: {line}"))?;
            }
            Ok(())
        };
        Ok(Program {
            name,
            child,
            listener: Some(thread::spawn(listen)),
            output,
        })
    }

    /// Looks whether it still runs.
    ///
    /// # Errors
    /// When it has ended, with what it has said.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{}: {status}\n{}", self.name, self.said());
        }
        Ok(())
    }

    /// What it has said besides.
    fn said(&self) -> String {
        std::fs::read_to_string(self.output.path()).unwrap_or_default()
    }

    /// Lets it end what it has begun.
    ///
    /// # Errors
    /// When it has failed, or said what makes no sense.
    pub(crate) fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "{}: {status}\n{}", self.name, self.said());
        let listener = self.listener.take().context("it is listened to")?;
        listener.join().ok().context("a listener panicked")?
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
