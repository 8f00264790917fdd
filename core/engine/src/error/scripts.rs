//! What is wrong with a script, or with what it does.

use thiserror::Error;

/// Why a script is not there, cannot be run, or has failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScriptError {
    /// There is nothing that runs scripts: a file is loaded, or data is followed.
    #[error("ERR scripts are not run here")]
    NoScripts,
    /// No script has this name.
    #[error("NOSCRIPT No matching script. Please use EVAL.")]
    NoScript,
    /// A script cannot be read.
    #[error("ERR Error compiling script (new function): {0}")]
    ScriptNotRead(String),
    /// Too much was loaded by `SCRIPT LOAD`.
    #[error("ERR Too many scripts were loaded. SCRIPT FLUSH makes room.")]
    TooManyScripts,
    /// The first line of a script has no end.
    #[error("ERR Invalid script shebang")]
    InvalidShebang,
    /// The first line of a script names another language.
    #[error("ERR Unexpected engine in script shebang: {0}")]
    ShebangEngine(String),
    /// The first line of a script has an option that is not known.
    #[error("ERR Unknown lua shebang option: {0}")]
    ShebangOption(String),
    /// The first line of a script has a flag that is not known.
    #[error("ERR Unexpected flag in script shebang: {0}")]
    ShebangFlag(String),
    /// `EVAL` with a negative number of keys.
    #[error("ERR Number of keys can't be negative")]
    NegativeKeyCount,
    /// `EVAL_RO` and the like of a script that says that it writes.
    #[error("ERR Can not execute a script with write flag using *_ro command.")]
    WritingScript,
    /// A script whose first line says nothing of memory, and memory is used up.
    #[error(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
    )]
    ScriptOutOfMemory,
    /// A script writes although it may not.
    #[error("ERR Write commands are not allowed from read-only scripts.")]
    WriteInReadOnlyScript,
    /// A script runs a command that does not exist.
    #[error("ERR Unknown Redis command called from script")]
    UnknownInScript,
    /// A script runs a command with too few or too many arguments.
    #[error("ERR Wrong number of args calling Redis command from script")]
    ArityInScript,
    /// What a script asked for is too much for it.
    #[error("ERR The reply is too long for a script")]
    ReplyTooLongForScript,
    /// `SCRIPT FLUSH` with another word.
    #[error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")]
    ScriptFlushMode,
    /// `SCRIPT DEBUG` with another word.
    #[error("ERR Use SCRIPT DEBUG YES/SYNC/NO")]
    ScriptDebugMode,
    /// Scripts are not debugged here.
    #[error("ERR weir does not debug scripts")]
    NoScriptDebugger,
    /// What a script failed with.
    #[error("{}", String::from_utf8_lossy(.text))]
    ScriptFailed {
        /// The whole error.
        text: Vec<u8>,
        /// It is that of a command, which was counted when the command failed.
        is_counted: bool,
    },
    /// `SCRIPT KILL` of a script that has written.
    #[error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
    )]
    Unkillable,
}
