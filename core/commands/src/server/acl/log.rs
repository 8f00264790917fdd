//! `ACL LOG`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Group, Spec};

use super::OF_ADMINISTRATORS;
use crate::help::usage_error;

/// `ACL LOG [count | RESET]`
pub(super) struct Log;

/// Entries that are shown by default.
const COUNT_DEFAULT: usize = 10;

pub(super) enum Parsed {
    Show(usize),
    Forget,
}

impl Command for Log {
    const SPEC: Spec = Spec {
        summary: "Tells what was denied of late, newest first, or forgets it.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N) with N being the number of entries shown.",
        arity: Arity::AtLeast(2),
        flags: OF_ADMINISTRATORS,
        history: &[(
            "7.2.0",
            "An entry has a number and the times of its first and last denial.",
        )],
        args: &[Arg::one_of(
            "operation",
            &[Arg::integer("count"), Arg::word("reset", "RESET")],
        )
        .optional()],
        ..Spec::named("log")
    };
    type Parsed<'a> = Parsed;

    fn parse(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
        if args.left() > 1 {
            return Err(usage_error(args.whole(), "ACL"));
        }
        if args.keyword("RESET") {
            return Ok(Parsed::Forget);
        }
        let count = match args.next() {
            None => COUNT_DEFAULT,
            Some(count) => {
                let count = parse_i64(count).ok_or(CmdError::NotAnInteger)?;
                usize::try_from(count).unwrap_or(0)
            }
        };
        Ok(Parsed::Show(count))
    }

    fn execute(cmd: Parsed, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let denials = &mut ctx.server.users.denials;
        let count = match cmd {
            Parsed::Forget => {
                denials.clear();
                ctx.reply.ok();
                return Ok(Flow::Done);
            }
            Parsed::Show(count) => count,
        };
        let (reply, now_ms) = (&mut *ctx.reply, ctx.now.unix().0);
        reply.array(denials.iter().len().min(count));
        reply.each(denials.iter().take(count), |reply, entry| {
            reply.map(10);
            reply.bulk(b"count");
            reply.int(entry.count as i64);
            reply.bulk(b"reason");
            reply.bulk(entry.reason.name().as_bytes());
            reply.bulk(b"context");
            reply.bulk(entry.context.name().as_bytes());
            reply.bulk(b"object");
            reply.bulk(&entry.object);
            reply.bulk(b"username");
            reply.bulk(&entry.user);
            reply.bulk(b"age-seconds");
            reply.double(now_ms.saturating_sub(entry.last.0) as f64 / 1000.0);
            reply.bulk(b"client-info");
            reply.bulk(entry.client.trim_end().as_bytes());
            reply.bulk(b"entry-id");
            reply.int(entry.id as i64);
            reply.bulk(b"timestamp-created");
            reply.int(entry.first.0);
            reply.bulk(b"timestamp-last-updated");
            reply.int(entry.last.0);
        });
        Ok(Flow::Done)
    }
}
