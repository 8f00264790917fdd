//! Whether the log can be written, and what keeps it from that.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::disk::is_full;

/// What the journal was doing when the disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writing to a file.
    Write,
    /// Making a file durable.
    Sync,
    /// Making a file.
    Create,
    /// Opening or reading a file.
    Read,
    /// Replacing one file by another.
    Rename,
    /// Making the names in the directory durable.
    SyncDirectory,
}

/// An operation that the disk failed to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation} {file}: {source}")]
pub struct Fault {
    /// What was tried.
    pub operation: Operation,
    /// With which file.
    pub file: String,
    /// What the operating system said.
    pub source: Arc<io::Error>,
}

impl Fault {
    pub(crate) fn new(operation: Operation, file: &str, source: io::Error) -> Self {
        Fault {
            operation,
            file: file.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Returns whether there was no room, so that the same may succeed later.
    pub(crate) fn is_full(&self) -> bool {
        is_full(&self.source)
    }
}

/// Which writes the log takes.
///
/// Nothing that was acknowledged is taken back in any state.
#[derive(Clone, Debug, Default)]
pub enum Health {
    /// All is well.
    #[default]
    Good,
    /// Nothing has been released for this long, although something waits for it: the disk is slow.
    /// This is detected outside of [`Commit`](crate::Commit), which is busy then.
    Slow(Duration),
    /// The disk is full. What is submitted is still written, to the reserve, so only what makes
    /// room should be submitted.
    OnReserve(Fault),
    /// The disk is full, and so is the reserve. The journal holds what it could not write and tries
    /// again.
    Full(Fault),
    /// A write or a sync failed, and the file is not trusted any more: nobody knows what is in it.
    /// Writes are refused until a rewrite into new files has succeeded.
    Poisoned(Fault),
    /// The log is not as this process left it: somebody else has written to it. So what is in
    /// memory is wrong, not the log. Nothing may be answered from memory and nothing written, least
    /// of all a rewrite, until the data was loaded again. A journal does not leave this state.
    Fenced(Fault),
}

impl Health {
    /// What is wrong, if something is.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Health::Good | Health::Slow(_) => None,
            Health::OnReserve(fault)
            | Health::Full(fault)
            | Health::Poisoned(fault)
            | Health::Fenced(fault) => Some(fault),
        }
    }

    /// Returns whether writes may be accepted.
    pub fn is_good(&self) -> bool {
        matches!(self, Health::Good)
    }

    /// Returns whether what is submitted will soon be released, so that it is worth waiting for.
    pub fn releases(&self) -> bool {
        matches!(self, Health::Good | Health::OnReserve(_))
    }

    /// One word for it, as reports have it.
    pub fn name(&self) -> &'static str {
        match self {
            Health::Good => "good",
            Health::Slow(_) => "slow",
            Health::OnReserve(_) => "reserve",
            Health::Full(_) => "full",
            Health::Poisoned(_) => "failed",
            Health::Fenced(_) => "fenced",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Write => "cannot write",
            Operation::Sync => "cannot sync",
            Operation::Create => "cannot create",
            Operation::Read => "cannot read",
            Operation::Rename => "cannot rename",
            Operation::SyncDirectory => "cannot sync the directory of",
        })
    }
}
