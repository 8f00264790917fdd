//! `SLOWLOG RESET`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `SLOWLOG RESET`
pub(super) struct Reset;

impl PlainCommand for Reset {
    const SPEC: Spec = Spec {
        summary: "Forgets the commands in the slow log.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries in the slowlog",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::named("reset")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.slow_log.clear();
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
