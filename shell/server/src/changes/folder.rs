//! `CONFIG SET dir`.

use std::path::Path;

use engine::config::Settings;
use engine::error::CmdError;

use super::{in_words, refused};

/// The whole path of the folder that `dir` is to be, which counts from the folder that it is.
pub(super) fn checked(before: &Settings, wanted: &Settings) -> Result<String, CmdError> {
    if before.flag("appendonly") {
        // It would stay where it is, and a restart would not find it.
        return Err(refused(
            "dir",
            "the journal is in it; it can be changed while appendonly is no",
        ));
    }
    let folder = Path::new(before.text("dir")).join(wanted.text("dir"));
    let folder = folder
        .canonicalize()
        .and_then(|folder| std::fs::read_dir(&folder).map(|_| folder))
        .map_err(|error| refused("dir", in_words(&error)))?;
    folder
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| refused("dir", "the path is not UTF-8"))
}
