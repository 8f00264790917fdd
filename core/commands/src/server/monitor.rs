//! `MONITOR`.

use engine::command::{Ctx, Flow, Mode, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Compat, Flags, Group, Spec};

/// `MONITOR`: from now on, the connection sees all commands.
pub(super) struct Monitor;

impl PlainCommand for Monitor {
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
        compat: Compat::Differs(
            "A client that does not read is disconnected when 32 MB of lines wait for it, even if the settings \
             allow more. One that watches may use keys, too.",
        ),
        ..Spec::named("monitor")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.mode != Mode::Alone {
            return Err(CmdError::MonitorInTransaction);
        }
        ctx.session.monitor = true;
        ctx.server.monitors.add(ctx.session.id);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
