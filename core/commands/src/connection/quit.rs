//! `QUIT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Deprecated, Flags, Group, Spec};
use resp::Argv;

/// `QUIT`
pub(super) struct Quit;

impl PlainCommand for Quit {
    const SPEC: Spec = Spec {
        summary: "Closes the connection.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::WHILE_SUBSCRIBED
            .and(Flags::ALLOW_BUSY)
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::FAST)
            .and(Flags::LOADING)
            .and(Flags::NO_AUTH)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        deprecated: Some(Deprecated {
            since: "7.2.0",
            replaced_by: "just closing the connection",
        }),
        ..Spec::named("quit")
    };
    /// Whatever follows is not looked at.
    type Args<'a> = Argv<'a>;

    fn execute(_: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.ok();
        Ok(Flow::Close)
    }
}
