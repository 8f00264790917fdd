//! `CLIENT GETREDIR`.

use engine::clients::line::redirect;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT GETREDIR`
pub(super) struct GetRedir;

impl PlainCommand for GetRedir {
    const SPEC: Spec = Spec {
        summary: "Tells which client is told of keys in the place of this one.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("getredir")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.int(redirect(ctx.session));
        Ok(Flow::Done)
    }
}
