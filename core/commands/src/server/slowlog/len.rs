//! `SLOWLOG LEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `SLOWLOG LEN`
pub(super) struct Len;

impl PlainCommand for Len {
    const SPEC: Spec = Spec {
        summary: "Tells how many commands are in the slow log.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        tips: &[
            "request_policy:all_nodes",
            "response_policy:agg_sum",
            "nondeterministic_output",
        ],
        ..Spec::named("len")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.count(ctx.server.slow_log.len());
        Ok(Flow::Done)
    }
}
