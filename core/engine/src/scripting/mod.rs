//! Scripts and functions: which are known, and what runs them.
//!
//! The engine knows texts and flags of scripts and functions; a [`ScriptHost`], which the owner of
//! the engine gives it, knows their language. A host runs a script until it wants something of the
//! engine ([`Step`]), and is told the answer ([`ScriptHost::go_on`]). So it never has the engine,
//! and the engine never waits for it. What a script does to the keyspace, the commands do that it
//! calls: a journal has their effects, and nobody needs a host to replay them.

mod cache;
mod functions;
mod host;
mod library;
mod sha;
mod shebang;

pub use cache::{Script, ScriptCall, Scripts};
pub use functions::{FunctionRef, Functions, ReadLibrary, Running};
pub use host::{Answer, Call, Job, LogLevel, Runs, ScriptHost, Step, Verdict};
pub use library::{Function, LibraryId, Metadata, is_name};
pub use sha::Sha;
pub use shebang::{ScriptFlags, Shebang};
