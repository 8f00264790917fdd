//! `bench`: builds weir for release, makes sure that the peers are there, and runs the benches.
//!
//! `WEIR_BIN` names another weir, `WEIR_PEERS` another folder of peers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command::{build, cargo, root, run, target_directory};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Names of suites and works, and options; `bench --help` and `bench --list` tell which.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        let mut bench = cargo(&["run", "--quiet", "--release", "--package", "bench", "--"])?;
        if !self.only_asks() {
            let weir = match std::env::var_os("WEIR_BIN") {
                Some(path) => PathBuf::from(path),
                None => build("weir", &["--release"])?,
            };
            let peers = match std::env::var_os("WEIR_PEERS") {
                Some(path) => PathBuf::from(path),
                None => fetch_peers(&target_directory()?.join("peers"))?,
            };
            bench.env("WEIR_BIN", weir).env("WEIR_PEERS", peers);
        }
        run(bench.args(&self.arguments))
    }

    /// Returns whether nothing will be measured, so that nothing needs to be built or fetched.
    fn only_asks(&self) -> bool {
        self.arguments
            .iter()
            .any(|argument| matches!(argument.as_str(), "--list" | "--help" | "-h"))
    }
}

/// Runs the script that installs real servers to compare with; it keeps what is there already.
fn fetch_peers(folder: &Path) -> Result<PathBuf> {
    let script = root()?.join("tests/peers");
    if !script.is_file() {
        bail!(
            "{} is missing: set WEIR_PEERS to a folder of peers",
            script.display()
        );
    }
    run(std::process::Command::new(script).arg(folder)).context("fetching the peers")?;
    Ok(folder.to_owned())
}
