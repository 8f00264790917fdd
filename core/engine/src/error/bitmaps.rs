//! What is wrong with a command on bits.

use thiserror::Error;

/// Why a command on bits is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BitmapError {
    /// The place of a bit that no string can have.
    #[error("ERR bit offset is not an integer or out of range")]
    BitOffset,
    /// `SETBIT` to something else than 0 or 1.
    #[error("ERR bit is not an integer or out of range")]
    BitValue,
    /// `BITPOS` of something else than 0 or 1.
    #[error("ERR The bit argument must be 1 or 0.")]
    BitArgument,
    /// `BITOP NOT` of several keys.
    #[error("ERR BITOP NOT must be called with a single source key.")]
    BitNotSources,
    /// `BITOP` of one key with an operation that compares keys.
    #[error("ERR BITOP {0} must be called with at least two source keys.")]
    BitOperationSources(&'static str),
    /// `BITFIELD` with an unknown type.
    #[error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
    )]
    BitFieldType,
    /// `BITFIELD … OVERFLOW` with an unknown way.
    #[error("ERR Invalid OVERFLOW type specified")]
    OverflowType,
    /// `BITFIELD_RO` with a subcommand that writes.
    #[error("ERR BITFIELD_RO only supports the GET subcommand")]
    BitFieldReadOnly,
}
