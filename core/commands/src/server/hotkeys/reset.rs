//! `HOTKEYS RESET`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, HotKeysError};
use engine::table::Spec;

/// `HOTKEYS RESET`
pub(super) struct Reset;

impl PlainCommand for Reset {
    const SPEC: Spec = Spec {
        summary: "Forgets what was collected.",
        name: "reset",
        ..super::SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let hot_keys = &mut ctx.server.hot_keys;
        if hot_keys.as_ref().is_some_and(|it| it.is_active(ctx.now)) {
            return Err(CmdError::HotKeys(HotKeysError::HotKeysInProgress));
        }
        *hot_keys = None;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
