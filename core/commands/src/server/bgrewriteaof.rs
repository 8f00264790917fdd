//! `BGREWRITEAOF`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arity, Flags, Group, Spec};

/// `BGREWRITEAOF`
pub(super) struct BgRewriteAof;

impl PlainCommand for BgRewriteAof {
    const SPEC: Spec = Spec {
        summary: "Rewrites the journal from what is in memory, while the server goes on.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN
            .and(Flags::NO_ASYNC_LOADING)
            .and(Flags::NO_SCRIPT),
        ..Spec::named("bgrewriteaof")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !ctx.server.shell.persistence.journalling {
            return Err(CmdError::NoJournal);
        }
        if ctx.server.is_rewriting() {
            return Err(CmdError::RewriteInProgress);
        }
        ctx.server.orders.push(Order::RewriteJournal);
        ctx.reply
            .simple("Background append only file rewriting started");
        Ok(Flow::Done)
    }
}
