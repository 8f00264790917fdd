//! `deny`: checks dependencies against `deny.toml`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::command::{run, target_directory, tool};

/// The version that is installed if there is none.
const VERSION: &str = "0.20.2";

#[derive(Debug, Args)]
pub(crate) struct Deny {
    /// Looks for known vulnerabilities as well, in a list that is fetched from GitHub.
    #[arg(long)]
    advisories: bool,
}

impl Deny {
    /// The checks that need only the registry of crates.
    pub(crate) fn without_advisories() -> Self {
        Deny { advisories: false }
    }

    /// Checks, with a cargo-deny that is installed into the target directory first if it is not
    /// there.
    pub(crate) fn run(&self) -> Result<()> {
        self.check(tool("cargo-deny", VERSION)?)
    }

    /// The same if the tool may be out of reach, which is not the dependencies' fault.
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
