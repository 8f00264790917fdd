//! `sim`: many runs of engine and journal in the simulated world.

use anyhow::Result;
use clap::Args;

use crate::command::{cargo, run};

#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// How many runs, each with a seed of its own.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many steps a run has.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
}

impl Sim {
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = cargo(&["run", "--quiet", "--profile", "checked", "--package", "sim"])?;
        command.args(["--example", "engine", "--"]);
        command.args([self.first, self.seeds, self.steps].map(|number| number.to_string()));
        run(&mut command)
    }
}
