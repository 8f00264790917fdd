//! Running other programs, and where things of this workspace are.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The workspace's root folder.
pub(crate) fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies in the workspace")
}

/// The cargo that runs this program, in the workspace's root.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()?).args(arguments);
    Ok(command)
}

/// Says what is run, runs it, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    writeln!(std::io::stderr(), "> {shown}")?;
    let status = command
        .status()
        .with_context(|| format!("starting {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// The folder that cargo builds into.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"])?
        .stderr(Stdio::inherit())
        .output()
        .context("cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("target_directory in cargo metadata")?;
    Ok(PathBuf::from(folder))
}

/// Builds a package's binary with further arguments (such as `--release`), and returns where it is.
pub(crate) fn build(package: &str, arguments: &[&str]) -> Result<PathBuf> {
    let mut command = cargo(&[
        "build",
        "--package",
        package,
        "--message-format",
        "json-render-diagnostics",
    ])?;
    command.args(arguments).stdout(Stdio::piped());
    let shown = shown(&command);
    writeln!(std::io::stderr(), "> {shown}")?;
    let mut child = command
        .spawn()
        .with_context(|| format!("starting {shown}"))?;
    let stdout = child.stdout.take().context("cargo's output")?;
    let mut binary = None;
    for line in BufReader::new(stdout).lines() {
        let message: Value = serde_json::from_str(&line?).context("a message of cargo")?;
        if let Some(path) = message["executable"].as_str() {
            binary = Some(PathBuf::from(path));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    binary.with_context(|| format!("{shown} built no binary"))
}

/// A program of this name, which is installed into the target directory first if it is not there.
pub(crate) fn tool(name: &str, version: &str) -> Result<PathBuf> {
    let folder = target_directory()?.join("tools");
    let tool = folder.join("bin").join(name);
    if !tool.is_file() {
        let mut install = cargo(&["install", name, "--version", version, "--locked"])?;
        // A debug build is slow to run and quick to make, and it runs a few times.
        run(install.args(["--debug", "--quiet", "--root"]).arg(&folder))?;
    }
    Ok(tool)
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
