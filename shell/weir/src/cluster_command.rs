//! `weir cluster`: looks at the nodes of a group that shares a log, and has the lead handed over.
//!
//! It is a client of the nodes and nothing more: what it shows is what `INFO group` says, and what
//! it does is `FAILOVER`. One node that answers is enough to find the others.

mod arguments;
mod failover;
mod node;
mod peer;
mod status;

use self::arguments::{Arguments, Task};

/// What `weir cluster` can do.
pub(crate) const TASKS: &[&str] = &["failover", "status"];

/// Does what the arguments ask for; the text to print, or nothing if they are not understood.
///
/// # Errors
/// No node answers, or, of `status`, something is not well; of `failover`, the lead was not handed
/// over.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<Option<String>> {
    let password = std::env::var(PASSWORD).ok();
    let Some(arguments) = Arguments::parse(arguments, password) else {
        return Ok(None);
    };
    match &arguments.task {
        Task::Status => status::run(&arguments).map(Some),
        Task::Failover { to } => failover::run(&arguments, to.as_deref()).map(Some),
    }
}

/// The variable with the password, which redis-cli reads too.
const PASSWORD: &str = "REDISCLI_AUTH";
