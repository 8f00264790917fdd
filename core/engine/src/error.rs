//! Every error that a client can see. `Display` is the exact text on the wire, prefix included.
//!
//! Nothing elsewhere writes "ERR ". A golden test lists the texts.

use thiserror::Error;

/// What a command answers instead of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CmdError {
    /// The arguments do not follow the grammar.
    #[error("ERR syntax error")]
    Syntax,
    /// Not a canonical signed 64-bit number.
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    /// Not a floating-point number.
    #[error("ERR value is not a valid float")]
    NotAFloat,
    /// A number outside the named bound.
    #[error("ERR value is out of range")]
    OutOfRange,
    /// A number that must not be negative.
    #[error("ERR value is out of range, must be positive")]
    MustBePositive,
    /// The key holds another type.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// The key must exist.
    #[error("ERR no such key")]
    NoSuchKey,
    /// Too few or too many arguments; the full name, `xgroup|create`.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// No such command, and how it was called.
    #[error("ERR unknown command '{name}', with args beginning with: {args}")]
    UnknownCommand {
        /// The name as given, cut to 128 bytes.
        name: String,
        /// The first arguments, quoted, cut to 128 bytes in all.
        args: String,
    },
    /// No such subcommand of a command.
    #[error("ERR unknown subcommand '{sub}'. Try {command} HELP.")]
    UnknownSubcommand {
        /// The subcommand as given, cut to 128 bytes.
        sub: String,
        /// The command's name in capitals.
        command: String,
    },
    /// The session has not authenticated.
    #[error("NOAUTH Authentication required.")]
    NoAuth,
    /// An earlier command of the transaction was refused.
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAbort,
    /// The command cannot stand in a transaction.
    #[error("ERR Command not allowed inside a transaction")]
    NotInTransaction,
    /// `MULTI` within a transaction.
    #[error("ERR MULTI calls can not be nested")]
    NestedMulti,
    /// `WATCH` within a transaction.
    #[error("ERR WATCH inside MULTI is not allowed")]
    WatchInMulti,
    /// `EXEC` or `DISCARD` without `MULTI`.
    #[error("ERR {0} without MULTI")]
    WithoutMulti(&'static str),
    /// An expiry time that is not in the future or not representable; the command's name.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(&'static str),
    /// A database number that does not exist.
    #[error("ERR DB index is out of range")]
    DbIndex,
    /// A database argument that is not a number.
    #[error("ERR invalid DB index")]
    InvalidDbIndex,
    /// A timeout that is not a number.
    #[error("ERR timeout is not an integer or out of range")]
    TimeoutNotAnInteger,
    /// A timeout below zero.
    #[error("ERR timeout is negative")]
    TimeoutNegative,
    /// The log cannot take writes; what happened and what to do.
    #[error("MISCONF {0}")]
    Misconfigured(String),
    /// A snapshot is being written already.
    #[error("ERR Background save already in progress")]
    SaveInProgress,
    /// The journal is being rewritten already.
    #[error("ERR Background append only file rewriting already in progress")]
    RewriteInProgress,
    /// There is no journal to rewrite.
    #[error("ERR this server keeps no journal; start it with --appendonly yes")]
    NoJournal,
    /// A snapshot could not be written, and why.
    #[error("ERR the snapshot was not written: {0}")]
    SaveFailed(String),
    /// Something that cannot happen did; it was logged, and nothing was changed.
    #[error("ERR internal error: {0}")]
    Internal(&'static str),
    /// A text made of the request, where an enum variant would say no more.
    #[error("{0}")]
    Text(String),
}
