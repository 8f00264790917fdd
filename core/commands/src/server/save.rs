//! `SAVE`.

use engine::clients::waiting::Wait;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arity, Compat, Flags, Group, Spec};

/// `SAVE`: only this client waits for the snapshot.
pub(super) struct Save;

impl PlainCommand for Save {
    const SPEC: Spec = Spec {
        summary: "Writes a snapshot of all databases, and answers when it is on the disk.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the total number of keys in all databases",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN
            .and(Flags::NO_ASYNC_LOADING)
            .and(Flags::NO_MULTI)
            .and(Flags::NO_SCRIPT),
        compat: Compat::Differs("Other clients are served meanwhile."),
        ..Spec::named("save")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.is_snapshotting() {
            return Err(CmdError::SaveInProgress);
        }
        ctx.server.orders.push(Order::Snapshot {
            waiting: Some(ctx.session.id),
        });
        ctx.wait = Some(Wait::for_shell(ctx.store.database, "SAVE"));
        Ok(Flow::Block)
    }
}
