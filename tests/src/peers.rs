//! Where the binaries are: weir's, and those of the real servers that `tests/peers` fetches.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::left_out;

/// Exit status by which the script says that this machine cannot have the peers.
const CANNOT_BE_HAD: i32 = 3;

/// weir's binary: as `WEIR_BIN` says, or from the target directory that this program was built
/// into.
///
/// # Errors
/// When there is none.
pub fn weir() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("WEIR_BIN") {
        return Ok(PathBuf::from(path));
    }
    let program = std::env::current_exe()?;
    // Tests lie in `target/PROFILE/deps`, binaries in `target/PROFILE`.
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("weir"))
        .find(|binary| binary.is_file())
        .context("no weir binary: run `cargo xtask test`, or `cargo build` first, or set WEIR_BIN")
}

/// The result of fetching the peers.
#[derive(Debug, Clone)]
pub enum Peers {
    /// The folder with their binaries.
    Folder(PathBuf),
    /// This machine cannot have them, and why.
    Unavailable(String),
}

impl Peers {
    /// The folder that `WEIR_PEERS` names, or `target/peers`, filled by the script `tests/peers` if
    /// it is not yet.
    ///
    /// # Errors
    /// When the script fails.
    pub fn find() -> Result<Self> {
        static FOUND: OnceLock<Result<Peers, String>> = OnceLock::new();
        FOUND
            .get_or_init(|| find().map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(anyhow::Error::msg)
    }

    /// The binary called `name`, such as `redis86-server`; none when this machine cannot have it,
    /// and then the run tells that the test left it out.
    ///
    /// # Errors
    /// When the script fails, or knows no such peer; when this machine cannot have it although
    /// `WEIR_REQUIRE_PEERS` is set.
    pub fn binary(name: &str) -> Result<Option<PathBuf>> {
        match Self::find()? {
            Self::Unavailable(why) => {
                left_out::note("WEIR_REQUIRE_PEERS", &format!("no {name} here: {why}"))?;
                Ok(None)
            }
            Self::Folder(folder) => {
                let binary = folder.join(name);
                if !binary.is_file() {
                    bail!("no {name} in {}", folder.display());
                }
                Ok(Some(binary))
            }
        }
    }
}

fn find() -> Result<Peers> {
    if let Some(folder) = std::env::var_os("WEIR_PEERS") {
        let folder = PathBuf::from(folder);
        let bin = folder.join("bin");
        return Ok(Peers::Folder(if bin.is_dir() { bin } else { folder }));
    }
    let folder = target_directory()?.join("peers");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let output = Command::new(&script)
        .arg(&folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", script.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Peers::Folder(folder.join("bin"))),
        Some(CANNOT_BE_HAD) => Ok(Peers::Unavailable(said)),
        _ => bail!("{}: {}: {said}", script.display(), output.status),
    }
}

/// The target directory that this program was built into.
///
/// # Errors
/// When this program was not built by cargo.
pub fn target_directory() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .map(Path::to_owned)
        .context("this program does not lie in a target directory")
}
