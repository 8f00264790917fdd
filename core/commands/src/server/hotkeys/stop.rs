//! `HOTKEYS STOP`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::Spec;

/// `HOTKEYS STOP`
pub(super) struct Stop;

impl PlainCommand for Stop {
    const SPEC: Spec = Spec {
        summary: "Ends the collection; what it found is kept.",
        name: "stop",
        ..super::SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let hot_keys = ctx.server.hot_keys.as_mut();
        match hot_keys.filter(|it| it.is_active(ctx.now)) {
            Some(hot_keys) => {
                hot_keys.end(ctx.now);
                ctx.reply.ok();
            }
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}
