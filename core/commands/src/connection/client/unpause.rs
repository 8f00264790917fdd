//! `CLIENT UNPAUSE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::Afterwards;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT UNPAUSE`
pub(super) struct Unpause;

impl PlainCommand for Unpause {
    const SPEC: Spec = Spec {
        summary: "Ends a pause, and serves what it held back.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(N) Where N is the number of paused clients",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        ..Spec::named("unpause")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.pause.end();
        ctx.server.afterwards.push(Afterwards::EndPause);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
