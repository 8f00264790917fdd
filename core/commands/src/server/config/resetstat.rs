//! `CONFIG RESETSTAT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::observe::stages::Stages;
use engine::observe::stats::{CommandStats, ErrorStats, Rate};
use engine::table::{Arity, Flags, Group, Spec};

/// `CONFIG RESETSTAT`
pub(super) struct ResetStat;

impl PlainCommand for ResetStat {
    const SPEC: Spec = Spec {
        summary: "Resets the counters of INFO.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::named("resetstat")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let server = &mut *ctx.server;
        server.command_stats.fill(CommandStats::default());
        server.errors = ErrorStats::default();
        server.users.denials.reset_counters();
        server.command_rate = Rate::default();
        server.input_rate = Rate::default();
        server.output_rate = Rate::default();
        server.cycle_rate = Rate::default();
        server.busy_rate = Rate::default();
        server.stages = Stages::default();
        server.shell.connections_received = 0;
        server.shell.connections_rejected = 0;
        server.shell.received_bytes = 0;
        server.shell.sent_bytes = 0;
        server.shell.keys_looked_ahead = 0;
        server.shell.query_limit_disconnections = 0;
        server.shell.output_limit_disconnections = 0;
        for thread in &mut server.shell.threads {
            (thread.reads, thread.writes) = (0, 0);
        }
        ctx.store.reset_stats();
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
