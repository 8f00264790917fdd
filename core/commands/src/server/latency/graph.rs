//! `LATENCY GRAPH event`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::observe::slow_log::LatencyHistory;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

/// `LATENCY GRAPH event`
pub(super) struct Graph;

impl PlainCommand for Graph {
    const SPEC: Spec = Spec {
        summary: "Draws the events of a kind that took long.",
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
        compat: Compat::Differs("The picture looks different."),
        ..Spec::named("graph")
    };
    type Args<'a> = &'a [u8];

    fn execute(event: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(history) = ctx.server.latencies.find(event) else {
            let event = String::from_utf8_lossy(event).into_owned();
            return Err(CmdError::NoSamples(event));
        };
        let text = draw(history);
        ctx.reply.verbatim("txt", text.as_bytes());
        Ok(Flow::Done)
    }
}

/// One line an event, its bar as long as the event was, measured by the longest.
fn draw(history: &LatencyHistory) -> String {
    let bar = |took_ms: u64| "#".repeat((took_ms * BAR_MAX / history.max_ms.max(1)) as usize);
    let events = history.events.iter();
    let lines = events.map(|event| {
        format!(
            "{} {:>8} ms {}\n",
            event.at_s,
            event.took_ms,
            bar(event.took_ms)
        )
    });
    lines.collect()
}

/// The longest bar, in characters.
const BAR_MAX: u64 = 40;
