//! `CLIENT GETREDIR`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT GETREDIR`
pub(super) struct GetRedir;

impl PlainCommand for GetRedir {
    const SPEC: Spec = Spec {
        summary: "Tells which client gets invalidations; -1: none.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("getredir")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.int(-1);
        Ok(Flow::Done)
    }
}
