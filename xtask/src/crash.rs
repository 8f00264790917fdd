//! `crash`: a loaded server is killed at random moments, restarted and audited.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::command::{build, run};

#[derive(Debug, Args)]
pub(crate) struct Crash {
    /// How often the server is killed.
    #[arg(long, default_value_t = 100)]
    cycles: u64,
    /// Clients that append.
    #[arg(long, default_value_t = 50)]
    producers: u64,
    /// Chooses the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Crash {
    pub(crate) fn run(&self) -> Result<()> {
        let &Crash {
            cycles,
            producers,
            seed,
        } = self;
        audit(
            "crash",
            &[
                ("cycles", cycles.to_string()),
                ("producers", producers.to_string()),
                ("seed", seed.to_string()),
            ],
        )
    }
}

/// Runs a program of the tests that has servers suffer under load, and audits what they kept.
pub(crate) fn audit(program: &str, options: &[(&str, String)]) -> Result<()> {
    let server = build("weir", &["--release"])?;
    let program = build("weir-tests", &["--release", "--bin", program])?;
    let mut command = Command::new(program);
    command.arg("--server").arg(server);
    for (option, value) in options {
        command.arg(format!("--{option}")).arg(value);
    }
    run(&mut command)
}
