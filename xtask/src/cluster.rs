//! `cluster`: servers that share a log, to look at and to try clients with.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::command::{build, run};

#[derive(Debug, Args)]
pub(crate) struct Cluster {}

impl Cluster {
    pub(crate) fn run(&self) -> Result<()> {
        let server = build("weir", &["--release"])?;
        let group = build("weir-tests", &["--release", "--bin", "group"])?;
        run(Command::new(group).arg("--server").arg(server))
    }
}
