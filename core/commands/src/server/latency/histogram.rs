//! `LATENCY HISTOGRAM`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, Row, Spec};
use resp::Argv;

/// `LATENCY HISTOGRAM [command …]`
pub(super) struct Histogram;

impl PlainCommand for Histogram {
    const SPEC: Spec = Spec {
        summary: "Answers histograms of how long commands took, in microseconds.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands with latency information being retrieved.",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ],
        args: &[Arg::string("command").optional().multiple()],
        compat: Compat::Differs("The bounds are powers of two."),
        ..Spec::named("histogram")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stats = &ctx.server.command_stats;
        let durations = |found: &&'static Row| &stats[usize::from(found.number)].durations;
        // A command stands for its subcommands too.
        let wanted = |found: &&'static Row| {
            let is = |name: &[u8], of: &str| name.eq_ignore_ascii_case(of.as_bytes());
            let full_name = found.full_name();
            names.is_empty()
                || names
                    .iter()
                    .any(|name| is(name, &full_name) || is(name, found.container))
        };
        let commands = ctx.server.commands.iter();
        let commands = commands.filter(|found| wanted(found) && durations(found).count() > 0);
        let commands: Vec<&'static Row> = commands.collect();
        ctx.reply.map(commands.len());
        for found in commands {
            let durations = durations(&found);
            ctx.reply.bulk(found.full_name().as_bytes());
            ctx.reply.map(2);
            ctx.reply.bulk(b"calls");
            ctx.reply.int(durations.count() as i64);
            ctx.reply.bulk(b"histogram_usec");
            let start = ctx.reply.mark();
            let (mut steps, mut before) = (0, 0);
            for (bound_us, count) in durations.cumulative() {
                if count > before {
                    before = count;
                    steps += 1;
                    ctx.reply.int(bound_us as i64);
                    ctx.reply.int(count as i64);
                }
            }
            ctx.reply.map_since(start, steps);
        }
        Ok(Flow::Done)
    }
}
