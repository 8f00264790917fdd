//! `CLIENT INFO`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

use super::row;

/// `CLIENT INFO`
pub(super) struct Info;

impl Command for Info {
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
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let line = row::line(ctx.session, ctx.store.watches(), ctx.now);
        ctx.reply.verbatim("txt", line.as_bytes());
        Ok(Flow::Done)
    }
}
