//! `SLOWLOG GET`.

use std::sync::Arc;

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::observe::slow_log::SlowCommand;
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::Reply;

use crate::help::usage_error;
use crate::server::written::{Keeping, write_rows};

/// `SLOWLOG GET [count]`
pub(super) struct Get;

/// Entries that are shown by default.
const COUNT_DEFAULT: usize = 10;

impl Command for Get {
    const SPEC: Spec = Spec {
        summary: "Tells the commands that took long, newest first.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries returned",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        tips: &["request_policy:all_nodes", "nondeterministic_output"],
        history: &[("4.0.0", "The client's address and name were added.")],
        args: &[Arg::integer("count").optional()],
        ..Spec::named("get")
    };
    type Parsed<'a> = usize;

    fn parse(args: &mut Args<'_>) -> Result<usize, CmdError> {
        if args.left() > 1 {
            return Err(usage_error(args.whole(), "SLOWLOG"));
        }
        match args.next().map(parse_i64) {
            None => Ok(COUNT_DEFAULT),
            Some(Some(-1)) => Ok(usize::MAX),
            Some(count) => count
                .and_then(|count| usize::try_from(count).ok())
                .ok_or(CmdError::SlowLogCount),
        }
    }

    fn execute(count: usize, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let log = &ctx.server.slow_log;
        let shown: Vec<Arc<SlowCommand>> = log.iter().take(count).cloned().collect();
        ctx.reply.array(shown.len());
        write_rows(ctx.reply, shown, Keeping::Themselves, |reply, entry| {
            write(reply, &entry);
        });
        Ok(Flow::Done)
    }
}

fn write(reply: &mut Reply, entry: &SlowCommand) {
    reply.array(6);
    reply.int(entry.id as i64);
    reply.int(entry.at_s);
    reply.int(entry.took_us as i64);
    let request = entry.request.as_argv();
    reply.array(request.len());
    for arg in request.iter() {
        reply.bulk(arg);
    }
    reply.bulk(entry.address.as_bytes());
    reply.bulk(&entry.client_name);
}
