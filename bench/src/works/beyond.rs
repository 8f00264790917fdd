//! What only weir has, beside the script, the sorted set or the transaction that does the same on
//! other servers.
//!
//! A server that has a command of its own for the work gets that; any other gets what a program has
//! to do there. Replies differ, so each work counts afterwards what the server holds.

mod dead_letters;
mod delayed;
mod many;
mod million;
mod numbered;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::{Setup, Work};
use crate::control::{Control, Value};
use crate::process::Process;
use crate::request::Template;
use crate::sample::{Metric, Sample};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    works.extend(numbered::works(setup));
    works.extend(delayed::works(setup));
    works.extend(dead_letters::works());
    works.extend(many::works(setup));
    works.extend(million::works());
    works
}

/// How a request is made on a server that has a command for it, and on one that has not. Lines are
/// those of [`Template::parse`], in which `CLIENT` stands for the number of the connection.
struct Way {
    /// The request by commands of the server's own.
    own: &'static str,
    /// A script that does the same.
    script: &'static str,
    /// The number of the script's keys, these, and its arguments.
    arguments: &'static str,
}

impl Way {
    /// The line of the request on this server.
    fn line(&self, control: &mut Control) -> Result<String> {
        if has_own_commands(control)? {
            return Ok(self.own.to_owned());
        }
        let Value::Bulk(sha) = control.ask(&["SCRIPT", "LOAD", self.script])? else {
            bail!("SCRIPT LOAD did not give a digest")
        };
        let sha = String::from_utf8_lossy(&sha);
        Ok(format!("EVALSHA {sha} {}", self.arguments))
    }

    /// The request of each connection.
    fn templates(&self, control: &mut Control, connections: usize) -> Result<Vec<Template>> {
        let line = self.line(control)?;
        templates(&line, connections)
    }
}

/// The line as the request of each connection.
fn templates(line: &str, connections: usize) -> Result<Vec<Template>> {
    let of_connection = |connection: usize| {
        let number = format!("{connection:04}");
        Template::parse(&line.replace("CLIENT", &number))
    };
    (0..connections).map(of_connection).collect()
}

/// Whether the server has the commands that this suite is about; one of them stands for all.
fn has_own_commands(control: &mut Control) -> Result<bool> {
    let Value::Array(commands) = control.ask(&["COMMAND", "INFO", "XDELAYED"])? else {
        bail!("COMMAND INFO did not give a list")
    };
    Ok(commands.iter().any(|command| *command != Value::Null))
}

/// What each of so many operations took of the server, whose CPU time was `before` at their begin.
fn cpu_per_operation(process: Process, before: Duration, operations: u64) -> Result<Sample> {
    let cpu = process.cpu_time_at_rest()?.saturating_sub(before);
    Ok(Sample {
        figures: vec![(Metric::CpuNs, cpu.as_nanos() as f64 / operations as f64)],
        digest: None,
    })
}

/// Milliseconds since 1970.
fn unix_ms() -> Result<u64> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?;
    Ok(since.as_millis() as u64)
}

/// As many requests at once as the goals of these works are set for.
const PIPELINE: u64 = 16;
