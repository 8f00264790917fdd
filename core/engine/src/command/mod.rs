//! What a command is to those who write one: a pure parse and a decision, and what it has at hand
//! ([`Ctx`]).
//!
//! A command is added by implementing [`Command`] in a file of its own, in the crate above this
//! one, or [`PlainCommand`] if it has no options, and naming it once in its family's list. What is
//! known of it without running it is its row ([`crate::table`]).

mod ctx;
mod entry;
mod plain;

use crate::args::Args;
use crate::error::CmdError;
use crate::table::Spec;

pub use ctx::{Ctx, Mode};
pub use entry::{CommandTable, Entry, Numbered, container, count, entry, entry_with_subcommands};
pub use plain::{FromArgs, PlainCommand};

/// A command: its row, how its arguments are read, and what it does.
pub trait Command {
    /// The row of data.
    const SPEC: Spec;
    /// The typed arguments.
    type Parsed<'a>;
    /// Reads the arguments. Pure: knows neither keyspace nor clock.
    ///
    /// # Errors
    /// The exact error that a client sees.
    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError>;
    /// Decides, applies effects through `ctx.store`, and writes the reply.
    ///
    /// # Errors
    /// The exact error that a client sees; the reply written so far is rolled back.
    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError>;
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The reply is complete.
    Done,
    /// Nothing to reply yet: the session waits as `ctx.wait` says.
    Block,
    /// The reply is complete and the connection closes after it.
    Close,
}
