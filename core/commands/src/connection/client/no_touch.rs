//! `CLIENT NO-TOUCH`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::switch;

/// `CLIENT NO-TOUCH ON | OFF`
pub(super) struct NoTouch;

impl Command for NoTouch {
    const SPEC: Spec = Spec {
        summary: "Makes the connection's commands not count as uses of keys.",
        since: "7.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[Arg::one_of(
            "enabled",
            &[Arg::word("on", "ON"), Arg::word("off", "OFF")],
        )],
        ..Spec::named("no-touch")
    };
    type Parsed<'a> = bool;

    fn parse(args: &mut Args<'_>) -> Result<bool, CmdError> {
        switch::parse(args)
    }

    fn execute(on: bool, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.session.no_touch = on;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
