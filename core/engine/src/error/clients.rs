//! What is wrong with what is asked of clients.

use thiserror::Error;

/// Why `CLIENT` or `HELLO` is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// A client's name with bytes that would blur `CLIENT LIST`.
    #[error("ERR Client names cannot contain spaces, newlines or special characters.")]
    InvalidClientName,
    /// A client's library or its version with bytes that would blur `CLIENT LIST`.
    #[error("ERR {0} cannot contain spaces, newlines or special characters.")]
    InvalidLibrary(&'static str),
    /// An option that `CLIENT SETINFO` does not know.
    #[error("ERR Unrecognized option '{0}'")]
    UnknownClientOption(String),
    /// `CLIENT LIST ID` of something that is not a number.
    #[error("ERR Invalid client ID")]
    InvalidClientId,
    /// `CLIENT KILL ID` of something that is no positive number.
    #[error("ERR client-id should be greater than 0")]
    ClientIdNotPositive,
    /// `CLIENT KILL MAXAGE` with something that is not a number.
    #[error("ERR maxage is not an integer or out of range")]
    MaxAgeNotAnInteger,
    /// `CLIENT KILL MAXAGE` with zero or less.
    #[error("ERR maxage should be greater than 0")]
    MaxAgeNotPositive,
    /// A type of clients that does not exist.
    #[error("ERR Unknown client type '{0}'")]
    UnknownClientType(String),
    /// A user that does not exist.
    #[error("ERR No such user '{0}'")]
    NoSuchUser(String),
    /// `CLIENT KILL` of an address without a client.
    #[error("ERR No such client")]
    NoSuchClient,
    /// `CLIENT PAUSE` of neither writes nor all.
    #[error("ERR CLIENT PAUSE mode must be WRITE or ALL")]
    PauseMode,
    /// `CLIENT UNBLOCK` with neither of its ways.
    #[error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")]
    UnblockReason,
}
