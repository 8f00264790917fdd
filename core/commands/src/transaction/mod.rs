//! Transactions: `MULTI` queues, `EXEC` runs the queue as one atomic batch if no watched key was
//! changed.

mod discard;
mod exec;
mod multi;
mod unwatch;
mod watch;

use engine::command::{Ctx, Entry, entry};
use engine::store::dropped::What;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<discard::Discard>(),
    entry::<exec::Exec>(),
    entry::<multi::Multi>(),
    entry::<unwatch::Unwatch>(),
    entry::<watch::Watch>(),
];

/// The session's transaction ends. Returns whether there was one.
pub(crate) fn end_transaction(ctx: &mut Ctx<'_>) -> bool {
    let queue = ctx.session.end_transaction();
    let had_one = queue.is_some();
    if let Some(queue) = queue {
        ctx.store.drop_later(What::Queue(queue));
    }
    had_one
}

/// The session no longer watches anything.
pub(crate) fn unwatch_all(ctx: &mut Ctx<'_>) {
    let watched = std::mem::take(&mut ctx.session.watched);
    ctx.store.watches().remove(ctx.session.id, watched.keys());
    ctx.store.drop_later(What::Watched(watched));
}
