//! `CLIENT ID`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT ID`
pub(super) struct Id;

impl Command for Id {
    const SPEC: Spec = Spec {
        summary: "Tells the number of the connection.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("id")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.int(ctx.session.id.client as i64);
        Ok(Flow::Done)
    }
}
