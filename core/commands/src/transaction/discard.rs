//! `DISCARD`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

use super::{end_transaction, unwatch_all};

/// `DISCARD`
pub(super) struct Discard;

impl PlainCommand for Discard {
    const SPEC: Spec = Spec {
        summary: "Ends a transaction and forgets what was queued.",
        since: "2.0.0",
        group: Group::Transactions,
        complexity: "O(N), when N is the number of queued commands",
        arity: Arity::Exactly(1),
        flags: Flags::NO_SCRIPT
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        ..Spec::named("discard")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !end_transaction(ctx) {
            return Err(CmdError::WithoutMulti("DISCARD"));
        }
        unwatch_all(ctx);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
