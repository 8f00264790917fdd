//! Why a rule of a user is refused.

use crate::error::{CmdError, UserError};
use crate::limits::ERROR_ECHO_BYTES_MAX;

/// Why a rule is refused; the texts are those of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// It is no rule.
    #[error("Syntax error")]
    Syntax,
    /// It names neither a command nor a category.
    #[error("Unknown command or category name in ACL")]
    UnknownCommand,
    /// It names an argument of a subcommand.
    #[error("Allowing first-arg of a subcommand is not supported")]
    ArgumentOfSubcommand,
    /// All keys are allowed already.
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )]
    KeysAfterAll,
    /// All channels are allowed already.
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    ChannelsAfterAll,
    /// The password to be removed is none of the user's.
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    /// What stands for a password is no SHA-256.
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    NotADigest,
    /// The user has as many rules of the kind as it may have.
    #[error("The user has too many rules of this kind")]
    TooMany,
}

impl RuleFault {
    /// The error for a client that sent the rule.
    pub(super) fn refusal(self, rule: &[u8]) -> CmdError {
        let rule = &rule[..rule.len().min(ERROR_ECHO_BYTES_MAX)];
        CmdError::User(UserError::UserRule {
            rule: String::from_utf8_lossy(rule).into_owned(),
            fault: self.to_string(),
        })
    }
}
