//! `TIME`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `TIME`
pub(super) struct Time;

impl PlainCommand for Time {
    const SPEC: Spec = Spec {
        summary: "Tells the server's time of day: seconds since the epoch, and microseconds.",
        since: "2.6.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::FAST.and(Flags::LOADING).and(Flags::STALE),
        tips: &["nondeterministic_output"],
        ..Spec::named("time")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.array(2);
        ctx.reply.bulk_int(ctx.now.unix_us.div_euclid(1_000_000));
        ctx.reply.bulk_int(ctx.now.unix_us.rem_euclid(1_000_000));
        Ok(Flow::Done)
    }
}
