//! What is wrong with a library of functions, or with what is asked of libraries.

use thiserror::Error;

/// Why a library or a function is not there, or cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LibraryError {
    /// The text does not begin with `#!`.
    #[error("ERR Missing library metadata")]
    MetadataMissing,
    /// The first line has no end, or its quotes do not match.
    #[error("ERR Invalid library metadata")]
    MetadataInvalid,
    /// The first line says something else than a name.
    #[error("ERR Invalid metadata value given: {0}")]
    MetadataValue(String),
    /// The first line has two names.
    #[error("ERR Invalid metadata value, name argument was given multiple times")]
    NameTwice,
    /// The first line has no name.
    #[error("ERR Library name was not given")]
    NameMissing,
    /// No library, and no function, can be called so.
    #[error(
        "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
    )]
    Name,
    /// The first line names another language.
    #[error("ERR Engine '{0}' not found")]
    Engine(String),
    /// `FUNCTION LOAD` of a library that is there.
    #[error("ERR Library '{0}' already exists")]
    Exists(String),
    /// `FUNCTION RESTORE` of a library that is there.
    #[error("ERR Library {0} already exists")]
    RestoredExists(String),
    /// Another library has a function of this name.
    #[error("ERR Function {0} already exists")]
    FunctionExists(String),
    /// There is no such library.
    #[error("ERR Library not found")]
    NotFound,
    /// There is no such function.
    #[error("ERR Function not found")]
    FunctionNotFound,
    /// A library is no text of its language.
    #[error("ERR Error compiling function: {0}")]
    NotCompiled(String),
    /// A library failed when it was to register its functions.
    #[error("ERR Error registering functions: {0}")]
    NotRegistered(String),
    /// A library has registered nothing.
    #[error("ERR No functions registered")]
    NoFunctions,
    /// The libraries would take more than they may.
    #[error("ERR Too many libraries are loaded. FUNCTION DELETE makes room.")]
    TooMany,
    /// `FUNCTION LOAD` with another word than `REPLACE`.
    #[error("ERR Unknown option given: {0}")]
    LoadOption(String),
    /// `FUNCTION LIST` with another word.
    #[error("ERR Unknown argument {0}")]
    ListArgument(String),
    /// `FUNCTION LIST LIBRARYNAME` without a pattern.
    #[error("ERR library name argument was not given")]
    ListPattern,
    /// `FUNCTION FLUSH` with another word.
    #[error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")]
    FlushMode,
    /// `FUNCTION RESTORE` with another word.
    #[error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")]
    RestorePolicy,
    /// `FCALL` with something that is no number of keys.
    #[error("ERR Bad number of keys provided")]
    KeyCount,
    /// A payload has something else than libraries.
    #[error("ERR given type is not a function")]
    PayloadType,
    /// A payload has libraries in a form that only a release candidate of Redis wrote.
    #[error("ERR Pre-GA function format not supported")]
    PayloadEarly,
    /// A payload ends in the middle of a library.
    #[error("ERR Failed loading library payload")]
    Payload,
}
