//! `MONITOR`.

use crate::args::Args;
use crate::ctx::{Ctx, Mode};
use crate::error::CmdError;
use crate::table::{Arity, Command, Flags, Flow, Group, Spec};

/// `MONITOR`: from now on, the connection sees all commands.
pub(super) struct Monitor;

impl Command for Monitor {
    const SPEC: Spec = Spec {
        summary: "Shows all commands that the server runs, as they run.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        ..Spec::named("monitor")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.mode != Mode::Alone {
            return Err(CmdError::MonitorInTransaction);
        }
        if !std::mem::replace(&mut ctx.session.monitor, true) {
            ctx.node.monitors += 1;
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
