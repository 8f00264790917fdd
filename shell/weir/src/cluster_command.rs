//! `weir cluster`: looks at the nodes of a group that shares a log and at the log, and has the lead
//! handed over.
//!
//! To the nodes it is a client and nothing more: what it shows is what `INFO group` says, and what
//! it does is `FAILOVER`. One node that answers is enough to find the others. The log is read from
//! the NATS servers, as settings of a server name them.

mod arguments;
mod failover;
mod named_log;
mod node;
mod peer;
mod recover;
mod status;
mod verify;

use self::arguments::{Arguments, Task};

/// What `weir cluster` can do.
pub(crate) const TASKS: &[&str] = &["failover", "recover", "status", "verify"];

/// Does what the arguments ask for; the text to print, or nothing if they are not understood.
///
/// # Errors
/// No node answers, or, of `status` and `verify`, something is not well; of `failover`, the lead
/// was not handed over.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<Option<String>> {
    match arguments {
        [task, rest @ ..] if task == "recover" => return recover::run(rest).map(Some),
        [task, settings @ ..] if task == "verify" => return verify::run(settings).map(Some),
        _ => {}
    }
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
