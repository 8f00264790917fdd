//! Why a command cannot be renamed.

use thiserror::Error;

/// Why a command cannot be called by another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RenameFault {
    /// It takes two words.
    #[error("it takes the name of a command and its new name, or \"\" to disable it")]
    Words,
    /// No command is called by the name that is to be replaced.
    #[error("no command is called so, or it was renamed before")]
    Unknown,
    /// Another command is called by the new name.
    #[error("another command is called so already")]
    Taken,
}
