//! `CONFIG SET dir`.

use engine::config::{DIR, DataConfig};
use engine::error::CmdError;

use super::{in_words, refused};

/// The absolute path of the new `dir`, which is relative to the current one.
pub(super) fn checked(before: &DataConfig, wanted: &DataConfig) -> Result<String, CmdError> {
    if before.journalling {
        // It would stay where it is, and a restart would not find it.
        return Err(refused(
            DIR,
            "the journal is in it; it can be changed while appendonly is no",
        ));
    }
    let folder = before.dir.join(&wanted.dir);
    let folder = folder
        .canonicalize()
        .and_then(|folder| std::fs::read_dir(&folder).map(|_| folder))
        .map_err(|error| refused(DIR, in_words(&error)))?;
    folder
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| refused(DIR, "the path is not UTF-8"))
}
