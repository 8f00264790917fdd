//! `LATENCY LATEST`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `LATENCY LATEST`
pub(super) struct Latest;

impl PlainCommand for Latest {
    const SPEC: Spec = Spec {
        summary: "Tells the latest and the longest event of each kind that took long.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ],
        ..Spec::named("latest")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let latencies = &ctx.server.latencies;
        ctx.reply.array(latencies.iter().len());
        for (name, history) in latencies.iter() {
            let last = history.events.back();
            ctx.reply.array(6);
            ctx.reply.bulk(name.as_bytes());
            ctx.reply.int(last.map_or(0, |event| event.at_s));
            ctx.reply.int(last.map_or(0, |event| event.took_ms as i64));
            ctx.reply.int(history.max_ms as i64);
            ctx.reply.int(history.sum_ms as i64);
            ctx.reply.int(history.count as i64);
        }
        Ok(Flow::Done)
    }
}
