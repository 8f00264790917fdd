//! What is noted of a journal that was turned off while the server ran
//! (`CONFIG SET appendonly no`).
//!
//! Its files stay, as in Redis, and a later start with `appendonly yes` loads them: what was
//! written since is not in them. So a note lies beside them, which holds the manifest of that
//! moment. As long as the manifest is the same, the start says so; and where a snapshot was written
//! later, it refuses to choose.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use journal::Names;

/// What a start finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The journal was not turned off, or was turned on again.
    Nothing,
    /// The journal was turned off, and there is nothing newer.
    TurnedOff,
    /// A snapshot was written after that.
    SnapshotIsNewer,
}

fn path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}.off"))
}

fn manifest(folder: &Path, stem: &str) -> io::Result<Vec<u8>> {
    fs::read(folder.join(Names::new(stem).manifest()))
}

/// Notes that the journal in a folder was turned off.
///
/// # Errors
/// What the system says.
pub(crate) fn note(folder: &Path, stem: &str) -> io::Result<()> {
    let manifest = manifest(folder, stem)?;
    let mut file = File::create(path(folder, stem))?;
    file.write_all(&manifest)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// What is noted of the journal in a folder, beside the snapshot that there may be.
///
/// # Errors
/// What the system says.
pub(crate) fn find(folder: &Path, stem: &str, snapshot: &Path) -> io::Result<Found> {
    let path = path(folder, stem);
    let noted = match fs::read(&path) {
        Ok(noted) => noted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if manifest(folder, stem).ok() != Some(noted) {
        return Ok(Found::Nothing);
    }
    let snapshot = match fs::metadata(snapshot) {
        Ok(snapshot) => snapshot.modified()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::TurnedOff),
        Err(error) => return Err(error),
    };
    Ok(if snapshot >= fs::metadata(&path)?.modified()? {
        Found::SnapshotIsNewer
    } else {
        Found::TurnedOff
    })
}

/// Forgets what was noted.
///
/// # Errors
/// What the system says.
pub(crate) fn forget(folder: &Path, stem: &str) -> io::Result<()> {
    match fs::remove_file(path(folder, stem)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) => Ok(()),
        Ok(()) => File::open(folder)?.sync_all(),
    }
}
