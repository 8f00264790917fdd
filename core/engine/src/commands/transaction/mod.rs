//! Transactions: `MULTI` queues, `EXEC` runs the queue as one atomic batch if no watched key was changed.

mod discard;
mod exec;
mod multi;
mod unwatch;
mod watch;

use crate::ctx::Ctx;
use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<discard::Discard>(),
    entry::<exec::Exec>(),
    entry::<multi::Multi>(),
    entry::<unwatch::Unwatch>(),
    entry::<watch::Watch>(),
];

/// The session watches nothing any more.
pub(super) fn unwatch_all(ctx: &mut Ctx<'_>) {
    let watched = std::mem::take(&mut ctx.session.watched);
    ctx.tx.watches().remove(ctx.session.id, &watched);
}
