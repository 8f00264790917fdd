//! `WATCH`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

/// `WATCH key [key …]`
pub(super) struct Watch;

impl PlainCommand for Watch {
    const SPEC: Spec = Spec {
        summary: "Makes the next EXEC run only if none of the keys has changed by then.",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(1) for every key.",
        arity: Arity::AtLeast(2),
        flags: Flags::NO_SCRIPT
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY),
        keys: &[KeySpec::range(1, KeyFlags::RO, -1, 1, 0)],
        args: &[Arg::key("key", 0).multiple()],
        compat: Compat::Differs(
            "A key that has expired and is still there is removed; Redis leaves it. The keys that a client watches \
             count against `client-query-buffer-limit`.",
        ),
        ..Spec::named("watch")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.session.transaction.is_some() {
            return Err(CmdError::WatchInMulti);
        }
        let database = ctx.store.database;
        for key in keys.iter() {
            // A key that has expired by now is watched as missing.
            ctx.store.peek(key);
            let key = ctx.store.key(key);
            if let Some(key) = ctx.store.watches().add(ctx.session.id, database, key) {
                ctx.session.watched.push(database, key);
            }
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
