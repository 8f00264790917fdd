//! Scripts: which are known, and what runs them.
//!
//! The engine knows texts and flags of scripts; a [`ScriptHost`], which the owner of the engine
//! gives it, knows their language. A host runs a script until it wants something of the engine
//! ([`Step`]), and is told the answer ([`ScriptHost::go_on`]). So it never has the engine, and the
//! engine never waits for it. What a script does to the keyspace, the commands do that it calls: a
//! journal has their effects, and nobody needs a host to replay them.

mod cache;
mod host;
mod sha;
mod shebang;

pub use cache::{Script, ScriptCall, Scripts};
pub use host::{Answer, Call, Job, LogLevel, ScriptHost, Step, Verdict};
pub use sha::Sha;
pub use shebang::{ScriptFlags, Shebang};
