//! `MULTI`.

use engine::clients::session::Queue;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `MULTI`
pub(super) struct Multi;

impl PlainCommand for Multi {
    const SPEC: Spec = Spec {
        summary: "Begins a transaction: what follows is queued until EXEC.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::NO_SCRIPT
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        ..Spec::named("multi")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.session.transaction.is_some() {
            return Err(CmdError::NestedMulti);
        }
        let session = &mut *ctx.session;
        session.transaction = Some(Queue::default());
        if let Some(tracking) = &mut session.tracking {
            tracking.transaction_begins(session.requests);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
