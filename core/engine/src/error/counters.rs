//! What is wrong with the options of a counter.

use thiserror::Error;

/// Why a command on a counter is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CounterError {
    /// A bound of integers that is none; its option.
    #[error("ERR {0} is not an integer or out of range")]
    BoundNotAnInteger(&'static str),
    /// A bound of floating-point numbers that is none; its option.
    #[error("ERR {0} is not a valid float")]
    BoundNotAFloat(&'static str),
    /// Bounds that nothing is between.
    #[error("ERR LBOUND can't be greater than UBOUND")]
    BoundsCross,
    /// `ENX` without a time.
    #[error("ERR ENX flag requires an expiration")]
    EnxAlone,
}
