//! `CLIENT NO-EVICT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::switch;

/// `CLIENT NO-EVICT ON | OFF`
pub(super) struct NoEvict;

impl Command for NoEvict {
    const SPEC: Spec = Spec {
        summary: "Keeps the connection when memory is short.",
        since: "7.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        args: &[Arg::one_of(
            "enabled",
            &[Arg::word("on", "ON"), Arg::word("off", "OFF")],
        )],
        ..Spec::named("no-evict")
    };
    type Parsed<'a> = bool;

    fn parse(args: &mut Args<'_>) -> Result<bool, CmdError> {
        switch::parse(args)
    }

    fn execute(on: bool, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.session.no_evict = on;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
