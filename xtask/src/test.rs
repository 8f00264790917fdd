//! `test`: all tests of the workspace.
//!
//! Tests that need a server take the binary that `WEIR_BIN` names; without it, one is built first.
//! Those that compare take real servers from the folder that `WEIR_PEERS` names; without it,
//! `tests/peers` fetches them. The end of the run lists what this machine cannot have, and which
//! tests left something out because of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command::{build, cargo, root, run, target_directory};

/// Exit status by which `tests/peers` says that this machine cannot have them.
const CANNOT_BE_HAD: i32 = 3;

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Passed on to `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Real servers to compare with.
enum Peers {
    Folder(PathBuf),
    /// This machine cannot have them, and why.
    Unavailable(String),
}

impl Test {
    /// Every test, without further arguments.
    pub(crate) fn everything() -> Self {
        Self {
            arguments: Vec::new(),
        }
    }

    pub(crate) fn run(&self) -> Result<()> {
        let target = target_directory()?;
        let left_out = target.join("left-out");
        std::fs::create_dir_all(&target)?;
        std::fs::write(&left_out, "")?;
        let mut tests = cargo(&["test", "--workspace"])?;
        tests.args(&self.arguments).env("WEIR_LEFT_OUT", &left_out);
        if std::env::var_os("WEIR_BIN").is_none() {
            tests.env("WEIR_BIN", build("weir", &[])?);
        }
        if std::env::var_os("WEIR_PEERS").is_none() {
            match fetch_peers(&target.join("peers"))? {
                Peers::Folder(folder) => drop(tests.env("WEIR_PEERS", folder)),
                Peers::Unavailable(why) if std::env::var_os("WEIR_REQUIRE_PEERS").is_some() => {
                    bail!("{why}, and WEIR_REQUIRE_PEERS is set")
                }
                Peers::Unavailable(why) => {
                    std::fs::write(&left_out, format!("what asks real servers: {why}\n"))?;
                }
            }
        }
        let mut result = run(&mut tests);
        if result.is_ok() && self.arguments.is_empty() {
            // Every interleaving of the protocols by which threads wake one another.
            result = run(&mut cargo(&["test", "-p", "wakeup", "--features", "loom"])?);
        }
        let left_out = std::fs::read_to_string(&left_out)?;
        if !left_out.is_empty() {
            write!(std::io::stderr(), "\nLeft out on this machine:\n{left_out}")?;
        }
        result
    }
}

fn fetch_peers(folder: &Path) -> Result<Peers> {
    let script = root()?.join("tests/peers");
    let output = Command::new(&script)
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", script.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Peers::Folder(folder.to_owned())),
        Some(CANNOT_BE_HAD) => Ok(Peers::Unavailable(said)),
        _ => bail!("{}: {}: {said}", script.display(), output.status),
    }
}
