//! What is wrong with a user, with its rules, or with a file of users.

use thiserror::Error;

/// Why a user cannot be what `ACL` asks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UserError {
    /// `SORT` with this option, of a user who may not read every key.
    #[error("ERR {0} option of SORT denied due to insufficient ACL permissions.")]
    SortDenied(&'static str),
    /// A name that no user can have.
    #[error("ERR Usernames can't contain spaces or null characters")]
    UserName,
    /// One user more than there can be.
    #[error("ERR There are too many users")]
    TooManyUsers,
    /// A user that takes more memory than one may.
    #[error("ERR The user takes too much memory")]
    UserTooLarge,
    /// A rule of `ACL SETUSER`.
    #[error("ERR Error in ACL SETUSER modifier '{rule}': {fault}")]
    UserRule {
        /// The rule, cut to 128 bytes.
        rule: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A selector of `ACL SETUSER` without its end; its first word.
    #[error("ERR Unmatched parenthesis in acl selector starting at '{0}'.")]
    UnmatchedParenthesis(String),
    /// `ACL DELUSER` of the user that there must be.
    #[error("ERR The 'default' user cannot be removed")]
    DefaultUserStays,
    /// `ACL CAT` of a category that does not exist.
    #[error("ERR Unknown category '{0}'")]
    UnknownCategory(String),
    /// `ACL GENPASS` of no bits, or of too many.
    #[error(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"
    )]
    PasswordBits,
    /// `ACL DRYRUN` as a user that does not exist.
    #[error("ERR User '{0}' not found")]
    UserNotFound(String),
    /// `ACL DRYRUN` of a command that does not exist.
    #[error("ERR Command '{0}' not found")]
    CommandNotFound(String),
    /// `ACL SAVE` or `LOAD` without a file.
    #[error(
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."
    )]
    NoUserFile,
    /// `ACL SAVE` to a file that cannot be written.
    #[error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more information"
    )]
    UserFileNotWritten,
    /// `ACL LOAD` of a file that cannot be read.
    #[error("ERR Error loading ACLs, opening file '{path}': {error}")]
    UserFileNotRead {
        /// The file.
        path: String,
        /// What the system says.
        error: String,
    },
    /// `ACL LOAD` of a file with mistakes.
    #[error(
        "ERR {0} WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
    )]
    UserFileFaults(String),
}
