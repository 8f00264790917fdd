//! `package`: a Debian package of weir, with its manual page, completions and service.
//!
//! The pages come from the binary itself, so the package's are never older than the program. With
//! `--test` the package is installed, started as its service would be, upgraded, removed and purged
//! on this machine, which must run Debian and be expendable: a container or a CI machine.

mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command::{build, root, run, target_directory, tool};

#[derive(Debug, Args)]
pub(crate) struct Package {
    /// Packs the binary that `cargo build` makes, which builds faster and runs slower.
    #[arg(long)]
    debug: bool,
    /// Installs, starts, upgrades, removes and purges the package on this machine; needs root.
    #[arg(long)]
    test: bool,
}

/// The version of cargo-deb that is installed.
const VERSION: &str = "3.8.0";

/// Pages that the binary prints: the arguments, and the file in the package's folder.
const PAGES: &[(&[&str], &str)] = &[
    (&["manual"], "weir.1"),
    (&["completions", "bash"], "weir.bash"),
    (&["completions", "fish"], "weir.fish"),
    (&["completions", "zsh"], "weir.zsh"),
];

impl Package {
    pub(crate) fn run(&self) -> Result<()> {
        let older = self.make("1")?;
        if self.test {
            let newer = self.make("2")?;
            trial::run(&older, &newer)?;
        }
        Ok(())
    }

    /// Makes the package with this revision; where it is.
    fn make(&self, revision: &str) -> Result<PathBuf> {
        let profile: &[&str] = if self.debug { &[] } else { &["--release"] };
        let binary = build("weir", profile)?;
        let folder = target_directory()?.join("package");
        fs::create_dir_all(&folder)?;
        for (arguments, file) in PAGES {
            let page = Command::new(&binary)
                .args(*arguments)
                .output()
                .with_context(|| format!("starting {}", binary.display()))?;
            if !page.status.success() {
                bail!("weir {} printed no page", arguments.join(" "));
            }
            fs::write(folder.join(file), page.stdout)?;
        }
        let package = folder.join(format!("weir_{revision}.deb"));
        let mut deb = Command::new(tool("cargo-deb", VERSION)?);
        deb.current_dir(root()?)
            .args(["--package", "weir", "--no-build", "--no-strip"]);
        if self.debug {
            deb.args(["--profile", "dev"]);
        }
        deb.args(["--deb-revision", revision, "--output"]);
        run(deb.arg(&package))?;
        Ok(package)
    }
}

/// Returns whether a program is on this machine.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}
