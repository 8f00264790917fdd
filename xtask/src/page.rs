//! `page`: builds the console's page from its sources, and writes down the hashes of both.
//!
//! The built files are in the repository, so that building weir takes no npm. A test holds them
//! to the hashes, which name what they were built from; another builds them again and compares.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};

use crate::command::{root, run, target_directory};

/// Where the sources and the built files are.
const PAGE: &str = "shell/console/page";

/// The file of the hashes, in [`PAGE`], as `sha256sum --check` reads them.
const HASHES: &str = "hashes.txt";

/// The folder of built files, in [`PAGE`].
const BUILT: &str = "dist";

#[derive(Debug, Args)]
pub(crate) struct Page {
    /// Changes nothing, and fails if the built files are not those that the sources give.
    #[arg(long)]
    check: bool,
}

impl Page {
    pub(crate) fn run(&self) -> Result<()> {
        let page = root()?.join(PAGE);
        let folder = target_directory()?.join("page");
        build(&page, &folder)?;
        if self.check {
            return same(&page, &folder);
        }
        let built = page.join(BUILT);
        if built.is_dir() {
            fs::remove_dir_all(&built)?;
        }
        copy(&folder.join(BUILT), &built)?;
        fs::write(page.join(HASHES), hashes(&page)?)?;
        Ok(())
    }
}

/// Builds a copy of the sources in `folder`, so that nothing that npm fetches lies among them.
fn build(page: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    let installed = folder.join("installed");
    let is_installed = fs::read(&installed).ok() == lock(page);
    for name in sources(page)? {
        let to = folder.join(&name);
        fs::create_dir_all(to.parent().context("a source is in a folder")?)?;
        fs::copy(page.join(&name), to).with_context(|| format!("copying {name}"))?;
    }
    let npm = |arguments: &[&str]| run(Command::new("npm").current_dir(folder).args(arguments));
    if !is_installed {
        npm(&["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
        fs::copy(folder.join("package-lock.json"), installed)?;
    }
    npm(&["run", "--silent", "build"])
}

fn same(page: &Path, folder: &Path) -> Result<()> {
    for name in files(page, BUILT)? {
        if fs::read(page.join(&name))? != fs::read(folder.join(&name)).unwrap_or_default() {
            bail!("{PAGE}/{name} is not what the sources give: run `cargo xtask page`");
        }
    }
    Ok(())
}

/// The hash of each source and of each built file.
fn hashes(page: &Path) -> Result<String> {
    let mut lines = String::new();
    for name in sources(page)?.into_iter().chain(files(page, BUILT)?) {
        for byte in Sha256::digest(fs::read(page.join(&name))?) {
            write!(lines, "{byte:02x}")?;
        }
        writeln!(lines, "  {name}")?;
    }
    Ok(lines)
}

/// What the page is built from.
fn sources(page: &Path) -> Result<Vec<String>> {
    const BESIDE: [&str; 4] = [
        "build.mjs",
        "package-lock.json",
        "package.json",
        "tsconfig.json",
    ];
    let beside = BESIDE.map(str::to_owned).into_iter();
    Ok(beside.chain(files(page, "src")?).collect())
}

/// The paths of all files below a folder, sorted.
fn files(page: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in fs::read_dir(page.join(folder)).with_context(|| format!("reading {folder}"))? {
        let file = file?;
        let name = format!("{folder}/{}", file.file_name().to_string_lossy());
        match file.file_type()?.is_dir() {
            true => found.extend(files(page, &name)?),
            false => found.push(name),
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_page_is_that_of_its_sources() {
        let page = root().unwrap().join(PAGE);
        let known = fs::read_to_string(page.join(HASHES)).unwrap();
        assert!(
            known == hashes(&page).unwrap(),
            "{PAGE} has changed: run `cargo xtask page`"
        );
    }

    #[test]
    fn the_sources_give_the_same_bytes_again() {
        let is_required = std::env::var_os("WEIR_REQUIRE_CLIENTS").is_some();
        if is_required || Command::new("npm").arg("--version").output().is_ok() {
            Page { check: true }.run().unwrap();
        }
    }

    /// A registry's address would make whoever builds depend on that one.
    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = root().unwrap().join(PAGE).join("package-lock.json");
        let lock = fs::read_to_string(lock).unwrap();
        assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""));
    }
}
