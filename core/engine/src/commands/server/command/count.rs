//! `COMMAND COUNT`.

use crate::args::Args;
use crate::ctx::Ctx;
use crate::error::CmdError;
use crate::table::{Arity, Categories, Command, Flags, Flow, Group, Spec};

/// `COMMAND COUNT`
pub(super) struct Count;

impl Command for Count {
    const SPEC: Spec = Spec {
        summary: "Tells how many commands there are.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::named("count")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.count(super::count());
        Ok(Flow::Done)
    }
}
