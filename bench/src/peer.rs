//! The servers that a bench compares: where their binaries are, and what they call themselves.
//!
//! All peers speak the same protocol and take the same flags, so a peer is a name and a file, not a
//! trait with one implementation. Two builds of one server compare as well as two servers:
//! `--peers weir,before=/path/to/old/weir`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A server that can take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name in tables.
    pub name: String,
    /// Its binary.
    pub binary: PathBuf,
    /// What it says about its version.
    pub version: String,
}

/// The peer that all this is about.
pub const WEIR: &str = "weir";

/// The peers of a run when none are named, in the order of the tables.
pub const DEFAULT_PEERS: [&str; 3] = [WEIR, "redis86", "valkey91"];

/// The peer that ratios refer to, if it takes part.
pub const REFERENCE: &str = "redis86";

/// Where binaries are looked for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// weir's binary, if it was built elsewhere than in the target directory.
    pub weir: Option<PathBuf>,
    /// Folder of the other peers' binaries.
    pub peers: Option<PathBuf>,
}

impl Places {
    /// As the environment says: `WEIR_BIN` is weir's binary, `WEIR_PEERS` the folder that
    /// `tests/peers` filled. Without them, this program's own target directory.
    pub fn from_environment() -> Self {
        let target = target_directory();
        let weir = std::env::var_os("WEIR_BIN").map(PathBuf::from).or_else(|| {
            let binary = target.as_ref()?.join("release/weir");
            binary.is_file().then_some(binary)
        });
        let peers = std::env::var_os("WEIR_PEERS")
            .map(PathBuf::from)
            .or_else(|| target.map(|target| target.join("peers")))
            .map(|folder| {
                if folder.join("bin").is_dir() {
                    folder.join("bin")
                } else {
                    folder
                }
            });
        Self { weir, peers }
    }

    /// The peer that `spec` names: `weir`, a name from the folder of peers without its `-server`,
    /// or `name=/path`.
    ///
    /// # Errors
    /// When there is no such binary, or when it does not say its version.
    pub fn find(&self, spec: &str) -> Result<Peer> {
        let (name, binary) = match spec.split_once('=') {
            Some((name, path)) => (name, PathBuf::from(path)),
            None if spec == WEIR => (
                WEIR,
                self.weir
                    .clone()
                    .context("no weir binary: build it, or set WEIR_BIN")?,
            ),
            None => {
                let folder = self
                    .peers
                    .as_ref()
                    .context("no folder of peers: set WEIR_PEERS")?;
                (spec, folder.join(format!("{spec}-server")))
            }
        };
        if !binary.is_file() {
            bail!("peer {name}: there is no file {}", binary.display());
        }
        let version = version(&binary)?;
        Ok(Peer {
            name: name.to_owned(),
            binary,
            version,
        })
    }
}

fn version(binary: &Path) -> Result<String> {
    let output = Command::new(binary)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("running {}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or("").trim().to_owned();
    if line.is_empty() {
        bail!("{} --version says nothing", binary.display());
    }
    Ok(line)
}

/// The target directory that this program was built into: the ancestor that cargo tagged.
pub fn target_directory() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_binary_is_named() {
        let places = Places {
            weir: None,
            peers: Some(PathBuf::from("/nowhere")),
        };
        assert!(places.find("weir").is_err());
        let error = places.find("redis86").unwrap_err().to_string();
        assert_eq!(
            error,
            "peer redis86: there is no file /nowhere/redis86-server"
        );
    }

    #[test]
    fn a_peer_may_be_any_binary_that_tells_its_version() {
        let peer = Places::default().find("shell=/bin/bash").unwrap();
        assert_eq!(peer.name, "shell");
        assert!(peer.version.contains("bash"));
    }
}
