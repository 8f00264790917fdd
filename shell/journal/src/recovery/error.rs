//! Why a log cannot be recovered, and what to do about it.

use crate::health::Fault;
use crate::manifest::ManifestError;
use crate::reader::{Behind, Damage};

/// Why the log cannot be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The directory belongs to another process.
    #[error(
        "another server uses this directory (it holds the lock {name}); stop it, or choose another \
         directory"
    )]
    Locked {
        /// The lock file.
        name: String,
    },
    /// The disk failed.
    #[error("{0}")]
    Disk(#[from] Fault),
    /// The manifest cannot be read.
    #[error("{name}, {error}; restore the manifest from a backup, or correct the line")]
    Manifest {
        /// The manifest.
        name: String,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// A file of the manifest is not there.
    #[error("{name} is in the manifest but not in the directory; restore it from a backup")]
    Missing {
        /// Its name in the folder.
        name: String,
    },
    /// A file is damaged where no crash can have done it.
    #[error(
        "{name} is damaged at offset {}: {}{}; `weir check` says more, and `weir repair` writes what \
         is whole into a new file beside it",
        damage.offset, damage.reason, behind
    )]
    Damaged {
        /// Its name in the folder.
        name: String,
        /// Where and how.
        damage: Damage,
        /// What shows that it was not a crash.
        behind: Behind,
    },
    /// The last file has a torn end, which must not be cut.
    #[error(
        "{name} ends torn at offset {}: {}; set aof-load-truncated to yes to cut it off, or use \
         `weir repair`",
        damage.offset, damage.reason
    )]
    Torn {
        /// Its name in the folder.
        name: String,
        /// Where and how.
        damage: Damage,
    },
}
