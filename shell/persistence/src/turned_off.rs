//! A note beside a journal that a server does not write: it was turned off while the server ran
//! (`CONFIG SET appendonly no`), or was there when the server started without one.
//!
//! Its files stay, as in Redis, and a later start with `appendonly yes` loads them: what was
//! written since is not in them. So a note lies beside them, which holds the manifest of that
//! moment. As long as the manifest is the same, the start says so; and if a snapshot was written
//! later, the start refuses to choose. A journal that was never loaded is not replaced while the
//! server runs, since its data is nowhere else.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use journal::{Disk, FileDisk, Names};

use crate::config::Config;

/// What a start finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The journal is the data, as far as is known.
    Nothing,
    /// A server ran without the journal, and there is nothing newer.
    TurnedOff,
    /// A snapshot was written after that.
    SnapshotIsNewer,
}

/// How a server came to run without the journal that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was turned off: its data was in memory.
    TurnedOff,
    /// The server was started without it: its data was never loaded.
    NotLoaded,
}

/// What a note of [`Why::NotLoaded`] ends with.
const NOT_LOADED: &[u8] = b"# not loaded\n";

/// A journal that a server without one leaves alone.
#[derive(Debug)]
pub struct IgnoredJournal<'a> {
    folder: &'a Path,
}

impl fmt::Display for IgnoredJournal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "THE JOURNAL IS IGNORED: appendonly is no, and {} holds a journal; what is in it is not \
             loaded. A start with --appendonly yes loads it; if it is not wanted, move it away",
            self.folder.display()
        )
    }
}

/// The journal that a start with these settings ignores, if there is one.
pub fn ignored_journal(config: &Config) -> Option<IgnoredJournal<'_>> {
    let folder = config.folder.as_path();
    let is_there = match fs::metadata(manifest_path(folder, &config.stem)) {
        Ok(_) => true,
        // One that cannot be read is there all the same.
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        ),
    };
    (!config.journalling && is_there).then_some(IgnoredJournal { folder })
}

/// Says in the log, and notes beside it, that the journal that is there is not loaded.
pub(crate) fn leave_alone(config: &Config) {
    let Some(ignored) = ignored_journal(config) else {
        return;
    };
    tracing::warn!("{ignored}");
    if let Err(error) = note_not_loaded(&config.folder, &config.stem) {
        tracing::warn!(
            %error,
            "the note that the journal was ignored cannot be written: a start with appendonly yes would \
             load it and not mention what was written meanwhile"
        );
    }
}

fn note_not_loaded(folder: &Path, stem: &str) -> io::Result<()> {
    // Whoever holds the lock has loaded it.
    let _lock = match FileDisk::open_existing(folder)?.lock(&Names::new(stem).lock()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            tracing::warn!("another process writes that journal");
            return Ok(());
        }
        lock => lock?,
    };
    match noted(folder, stem)? {
        Some(_) => Ok(()),
        None => note(folder, stem, Why::NotLoaded),
    }
}

/// Returns whether a journal is in the folder that no server has loaded since it was written.
///
/// # Errors
/// What the system says.
pub(crate) fn is_unread(folder: &Path, stem: &str) -> io::Result<bool> {
    let is_there = manifest_path(folder, stem).try_exists()?;
    Ok(is_there && noted(folder, stem)? != Some(Why::TurnedOff))
}

fn path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}.off"))
}

fn manifest_path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(Names::new(stem).manifest())
}

/// Notes that a server runs without the journal in a folder.
///
/// # Errors
/// What the system says.
pub(crate) fn note(folder: &Path, stem: &str, why: Why) -> io::Result<()> {
    let manifest = fs::read(manifest_path(folder, stem))?;
    let mut file = File::create(path(folder, stem))?;
    file.write_all(&manifest)?;
    match why {
        Why::TurnedOff => {}
        Why::NotLoaded => file.write_all(NOT_LOADED)?,
    }
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// What is noted of the journal in a folder, if it is still as it was then.
fn noted(folder: &Path, stem: &str) -> io::Result<Option<Why>> {
    let noted = match fs::read(path(folder, stem)) {
        Ok(noted) => noted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(manifest) = fs::read(manifest_path(folder, stem)) else {
        return Ok(None);
    };
    Ok(if noted == manifest {
        Some(Why::TurnedOff)
    } else {
        let is_same = noted.strip_suffix(NOT_LOADED) == Some(&*manifest);
        is_same.then_some(Why::NotLoaded)
    })
}

/// What is noted of the journal in a folder, beside the snapshot that there may be.
///
/// # Errors
/// What the system says.
pub(crate) fn find(folder: &Path, stem: &str, snapshot: &Path) -> io::Result<Found> {
    if noted(folder, stem)?.is_none() {
        return Ok(Found::Nothing);
    }
    let snapshot = match fs::metadata(snapshot) {
        Ok(snapshot) => snapshot.modified()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::TurnedOff),
        Err(error) => return Err(error),
    };
    let noted = fs::metadata(path(folder, stem))?.modified()?;
    Ok(if snapshot >= noted {
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
