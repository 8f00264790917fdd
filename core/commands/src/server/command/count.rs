//! `COMMAND COUNT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

/// `COMMAND COUNT`
pub(super) struct Count;

impl PlainCommand for Count {
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
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.count(ctx.server.commands.commands().count());
        Ok(Flow::Done)
    }
}
