//! `CLIENT ID`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT ID`
pub(super) struct Id;

impl PlainCommand for Id {
    const SPEC: Spec = Spec {
        summary: "Tells the number of the connection.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("id")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.int(ctx.session.id.client as i64);
        Ok(Flow::Done)
    }
}
