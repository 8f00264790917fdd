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
        let server = build("weir", &["--release"])?;
        let crash = build("weir-tests", &["--release", "--bin", "crash"])?;
        let mut command = Command::new(crash);
        command.arg("--server").arg(server);
        for (option, value) in [
            ("--cycles", self.cycles),
            ("--producers", self.producers),
            ("--seed", self.seed),
        ] {
            command.arg(option).arg(value.to_string());
        }
        run(&mut command)
    }
}
