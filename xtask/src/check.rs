//! `check`: formatting and lints.

use anyhow::Result;
use clap::Args;

use crate::command::{cargo, run};

#[derive(Debug, Args)]
pub(crate) struct Check {}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        run(&mut cargo(&["fmt", "--all", "--check"])?)?;
        run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])?)
    }
}
