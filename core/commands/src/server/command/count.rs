//! `COMMAND COUNT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

/// `COMMAND COUNT`
pub(super) struct Count;

impl Command for Count {
    const SPEC: Spec = Spec {
        summary: "Tells how many commands there are.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::named("count")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.count(ctx.server.commands.commands().count());
        Ok(Flow::Done)
    }
}
