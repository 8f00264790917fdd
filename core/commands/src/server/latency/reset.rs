//! `LATENCY RESET`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::Argv;

/// `LATENCY RESET [event …]`
pub(super) struct Reset;

impl PlainCommand for Reset {
    const SPEC: Spec = Spec {
        summary: "Forgets the events of some kinds, or of all.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
        args: &[Arg::string("event").optional().multiple()],
        ..Spec::named("reset")
    };
    type Args<'a> = Argv<'a>;

    fn execute(events: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let latencies = &mut ctx.server.latencies;
        let forgotten = if events.is_empty() {
            latencies.clear()
        } else {
            events
                .iter()
                .filter(|event| latencies.remove(event))
                .count()
        };
        ctx.reply.count(forgotten);
        Ok(Flow::Done)
    }
}
