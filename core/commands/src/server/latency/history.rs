//! `LATENCY HISTORY event`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

/// `LATENCY HISTORY event`
pub(super) struct History;

impl PlainCommand for History {
    const SPEC: Spec = Spec {
        summary: "Tells the events of a kind that took long.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ],
        args: &[Arg::string("event")],
        ..Spec::named("history")
    };
    type Args<'a> = &'a [u8];

    fn execute(event: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let events = ctx.server.latencies.find(event);
        let events = events.map(|history| &history.events);
        ctx.reply.array(events.map_or(0, |events| events.len()));
        for event in events.into_iter().flatten() {
            ctx.reply.array(2);
            ctx.reply.int(event.at_s);
            ctx.reply.int(event.took_ms as i64);
        }
        Ok(Flow::Done)
    }
}
