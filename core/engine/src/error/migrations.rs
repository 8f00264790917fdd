//! Why keys do not get to another server.

use thiserror::Error;

/// Why `MIGRATE` is refused, or did not hand all keys over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MigrationError {
    /// A key is named, and others behind `KEYS`.
    #[error("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string")]
    KeyBesideKeys,
    /// The target's name or port leads nowhere.
    #[error("IOERR error or timeout connecting to the client")]
    NoAddress,
    /// The target does not take what is sent, or no connection.
    #[error("IOERR error or timeout writing to target instance")]
    NotSent,
    /// The target does not answer, or with what is no reply to what was sent.
    #[error("IOERR error or timeout reading to target instance")]
    NotAnswered,
    /// The target answers an error: this one.
    #[error("ERR Target instance replied with error: {0}")]
    Refused(String),
    /// How many keys were changed while they were on their way.
    #[error(
        "ERR {0} keys were changed on their way and stay here; the target has them as they were"
    )]
    Changed(usize),
    /// As much as may be on its way is.
    #[error("ERR too much is being migrated; migrate fewer keys at once, or later")]
    TooMuch,
}
