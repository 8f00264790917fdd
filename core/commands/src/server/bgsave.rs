//! `BGSAVE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arg, Arity, Flags, Group, Spec};

/// `BGSAVE [SCHEDULE]`
pub(super) struct BgSave;

impl Command for BgSave {
    const SPEC: Spec = Spec {
        summary: "Writes a snapshot of all databases while the server goes on.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN
            .and(Flags::NO_ASYNC_LOADING)
            .and(Flags::NO_SCRIPT),
        history: &[("3.2.2", "SCHEDULE was added.")],
        args: &[Arg::word("schedule", "SCHEDULE").since("3.2.2").optional()],
        ..Spec::named("bgsave")
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        args.keyword("SCHEDULE");
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.is_snapshotting() {
            return Err(CmdError::SaveInProgress);
        }
        ctx.server.orders.push(Order::Snapshot { waiting: None });
        ctx.reply.simple("Background saving started");
        Ok(Flow::Done)
    }
}
