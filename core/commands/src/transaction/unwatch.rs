//! `UNWATCH`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

use super::unwatch_all;

/// `UNWATCH`
pub(super) struct Unwatch;

impl PlainCommand for Unwatch {
    const SPEC: Spec = Spec {
        summary: "Forgets all watched keys.",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::NO_SCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        ..Spec::named("unwatch")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        unwatch_all(ctx);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
