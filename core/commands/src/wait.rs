//! Waiting for a value of a type: what the commands have in common that do.

use engine::clients::waiting::{Enough, Interest, TimeoutReply, Wait};
use engine::command::{Ctx, Flow, Mode};
use resp::Argv;
use values::Typed;

use crate::timeout::Timeout;

/// Waits until one of these keys holds a value of the type, and then runs the request again. Where
/// nothing may block, the time is up at once.
pub(crate) fn wait_for<'a, T: Typed>(
    keys: impl Iterator<Item = &'a [u8]>,
    timeout: Timeout,
    on_timeout: TimeoutReply,
    request: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Flow {
    wait_for_enough(keys, Enough::of::<T>(1), timeout, on_timeout, request, ctx)
}

/// The same, until one of them has enough.
pub(crate) fn wait_for_enough<'a>(
    keys: impl Iterator<Item = &'a [u8]>,
    enough: Enough,
    timeout: Timeout,
    on_timeout: TimeoutReply,
    request: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Flow {
    if !matches!(ctx.mode, Mode::Alone | Mode::Resumed) {
        on_timeout.write(ctx.reply);
        return Flow::Done;
    }
    ctx.wait = Some(Wait {
        database: ctx.store.database,
        keys: keys.map(|key| ctx.store.key(key)).collect(),
        deadline: timeout.deadline(ctx.now.mono),
        retry_at: None,
        request: request.to_owned(),
        on_timeout,
        interest: Interest::Value(enough),
        ticket: Default::default(),
    });
    Flow::Block
}
