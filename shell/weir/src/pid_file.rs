//! The pid file, which holds the ID of the process while it runs.

use std::path::{Path, PathBuf};

/// The file, which goes when the server does.
pub(crate) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it. If that fails, it is logged and weir serves all the same, as in Redis.
    pub(crate) fn write(path: &Path) -> Option<PidFile> {
        match std::fs::write(path, format!("{}\n", std::process::id())) {
            Ok(()) => Some(PidFile(path.to_owned())),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the pid file cannot be written");
                None
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        std::fs::remove_file(&self.0).ok();
    }
}
