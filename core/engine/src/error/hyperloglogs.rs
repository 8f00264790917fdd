//! What is wrong with a HyperLogLog, or with what is asked of it.

use thiserror::Error;

/// Why a command on a HyperLogLog is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HyperLogLogError {
    /// A string that is no HyperLogLog.
    #[error("WRONGTYPE Key is not a valid HyperLogLog string value.")]
    NotHyperLogLog,
    /// A HyperLogLog that does not have the registers that one has.
    #[error("INVALIDOBJ Corrupted HLL object detected")]
    CorruptedHyperLogLog,
    /// `PFDEBUG` of a key that does not exist.
    #[error("ERR The specified key does not exist")]
    NoHyperLogLog,
    /// `PFDEBUG DECODE` of a dense HyperLogLog.
    #[error("ERR HLL encoding is not sparse")]
    NotSparse,
    /// A subcommand that `PFDEBUG` does not have.
    #[error("ERR Unknown PFDEBUG subcommand '{0}'")]
    UnknownPfDebug(String),
    /// `PFDEBUG SIMD` with another word.
    #[error("ERR Argument must be ON or OFF")]
    OnOrOff,
    /// `PFSELFTEST` found this.
    #[error("TESTFAILED {0}")]
    HyperLogLogTest(String),
}
