//! `PERSIST`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

/// `PERSIST key`
pub(super) struct Persist;

impl PlainCommand for Persist {
    const SPEC: Spec = Spec {
        summary: "Removes the time to live of a key.",
        since: "2.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[Arg::key("key", 0)],
        ..Spec::named("persist")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let expires = ctx
            .store
            .peek(key)
            .is_some_and(|record| record.expires_at().is_some());
        if expires {
            let persist = Effect::on(key, KeyChange::Persist);
            ctx.store.apply(&persist, event::PERSIST);
        }
        ctx.reply.int(i64::from(expires));
        Ok(Flow::Done)
    }
}
