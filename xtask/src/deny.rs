//! `deny`: what dependencies may be, by `deny.toml`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::command::{run, target_directory, tool};

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

#[derive(Debug, Args)]
pub(crate) struct Deny {
    /// Looks for known weaknesses as well, in a list that is fetched from GitHub.
    #[arg(long)]
    advisories: bool,
}

impl Deny {
    /// What needs nothing but the registry of crates.
    pub(crate) fn without_advisories() -> Self {
        Deny { advisories: false }
    }

    /// Checks, with a cargo-deny that is installed into the target directory first if it is not there.
    pub(crate) fn run(&self) -> Result<()> {
        self.check(tool("cargo-deny", VERSION)?)
    }

    /// The same where the tool may be out of reach, which is no fault of the dependencies.
    pub(crate) fn run_if_possible(&self) -> Result<()> {
        let tool = target_directory()?.join("tools/bin/cargo-deny");
        match self.run() {
            Err(error) if !tool.is_file() => {
                writeln!(
                    std::io::stderr(),
                    "cargo-deny cannot be had here, so dependencies were not checked: {error}"
                )?;
                Ok(())
            }
            result => result,
        }
    }

    fn check(&self, tool: PathBuf) -> Result<()> {
        let mut checks = vec!["bans", "licenses", "sources"];
        if self.advisories {
            checks.push("advisories");
        }
        let mut command = std::process::Command::new(tool);
        command
            .current_dir(crate::command::root()?)
            .arg("check")
            .args(checks);
        run(&mut command)
    }
}
