//! `LATENCY DOCTOR`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::Server;
use engine::table::{Arity, Compat, Flags, Group, Spec};

/// `LATENCY DOCTOR`
pub(super) struct Doctor;

impl PlainCommand for Doctor {
    const SPEC: Spec = Spec {
        summary: "Says in words what took long.",
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
        compat: Compat::Differs(
            "The words are weir's own. While `latency-monitor-threshold` is 0, nothing is said of earlier events.",
        ),
        ..Spec::named("doctor")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let text = diagnosis(ctx.server);
        ctx.reply.verbatim("txt", text.as_bytes());
        Ok(Flow::Done)
    }
}

fn diagnosis(server: &Server) -> String {
    if server.config.latency_threshold_ms == 0 {
        return "Nothing is watched: latency-monitor-threshold is 0. Set it to the number of milliseconds \
                that is too long for you, with CONFIG SET.\n"
            .to_owned();
    }
    if server.latencies.iter().len() == 0 {
        return format!(
            "Nothing took {} ms or longer.\n",
            server.config.latency_threshold_ms
        );
    }
    let mut text = String::new();
    for (name, history) in server.latencies.iter() {
        text.push_str(&format!(
            "{name}: {} times, {} ms on average, {} ms at worst.\n",
            history.count,
            history.sum_ms / history.count.max(1),
            history.max_ms
        ));
    }
    text.push_str("SLOWLOG GET tells which commands they were.\n");
    text
}
