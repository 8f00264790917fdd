//! What can be wrong with bytes that should be an RDB file or a payload of `DUMP`.
//!
//! Every fault says at which offset it was found and what should have been there. Offsets count
//! from the start of the file or payload; for a fault within a compressed or packed string it is
//! where that string ends.

use thiserror::Error;

/// Bytes that are not valid RDB.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("offset {offset}: {fault}")]
pub struct FormatError {
    /// Where the fault was noticed, in bytes from the start.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The bytes end too early.
    #[error("the data ends within {expected}")]
    Truncated {
        /// What was being read.
        expected: &'static str,
    },
    /// Something else stands where `expected` should be.
    #[error("{expected} expected, {found} found")]
    Unexpected {
        /// What should have been there.
        expected: &'static str,
        /// What is there.
        found: u64,
    },
    /// What is there contradicts itself or earlier bytes.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A length above what is allowed.
    #[error("{what} of {length}, more than the limit of {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        length: u64,
        /// The greatest length allowed.
        limit: u64,
    },
    /// A value of a type that is not read.
    #[error("type {code} ({name}) of key \"{}\" is not supported", .key.escape_ascii())]
    UnsupportedType {
        /// The type code.
        code: u8,
        /// What the code stands for.
        name: &'static str,
        /// The key; empty in a payload of `DUMP`.
        key: Box<[u8]>,
    },
    /// A version of the format that is not read.
    #[error("format version {0} is not supported")]
    UnsupportedVersion(u32),
    /// The checksum at the end is not that of the bytes.
    #[error("checksum {found:016x} found, that of the data is {computed:016x}")]
    Checksum {
        /// The checksum of what was read.
        computed: u64,
        /// The checksum that stands at the end.
        found: u64,
    },
}

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ReadError<E> {
    /// The bytes are not valid RDB.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The source could not give more bytes.
    #[error("offset {offset}: reading failed")]
    Source {
        /// Up to where bytes came, from the start.
        offset: u64,
        /// What the source said.
        #[source]
        source: E,
    },
}

/// Why a payload of `DUMP` is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// It is too short, of a version that is not read, or damaged.
    #[error("payload version or checksum are wrong")]
    VersionOrChecksum,
    /// What it holds is not a value of a supported type.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Why a payload of `FUNCTION DUMP` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LibrariesError {
    /// It is too short, of a version that is not read, or damaged.
    #[error("payload version or checksum are wrong")]
    VersionOrChecksum,
    /// It has something else than libraries.
    #[error("it has something else than libraries")]
    Type,
    /// It has libraries in the form of a release candidate.
    #[error("it has functions of a release candidate of Redis 7.0")]
    Early,
    /// It ends in the middle of a library.
    #[error("it ends in the middle of a library")]
    Cut,
    /// There are more libraries than there may be, or they are longer.
    #[error("the libraries are too many or too long")]
    TooLong,
}
