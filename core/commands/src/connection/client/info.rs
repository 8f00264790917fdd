//! `CLIENT INFO`.

use engine::clients::line::line;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT INFO`
pub(super) struct Info;

impl PlainCommand for Info {
    const SPEC: Spec = Spec {
        summary: "Tells what the server knows of this connection.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        tips: &["nondeterministic_output"],
        ..Spec::named("info")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let line = line(ctx.session, ctx.store.watches(), ctx.now);
        ctx.reply.verbatim("txt", line.as_bytes());
        Ok(Flow::Done)
    }
}
