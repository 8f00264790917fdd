//! `COMMAND HELP`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

use crate::help;

/// `COMMAND HELP`
pub(super) struct Help;

impl Command for Help {
    const SPEC: Spec = Spec {
        summary: "Lists the subcommands.",
        since: "5.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::named("help")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        help::answer(ctx, "command");
        Ok(Flow::Done)
    }
}
