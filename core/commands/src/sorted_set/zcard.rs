//! `ZCARD`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

/// `ZCARD key`
pub(super) struct ZCard;

impl PlainCommand for ZCard {
    const SPEC: Spec = Spec {
        summary: "Tells how many members a sorted set has.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("zcard")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        ctx.reply.count(set.map_or(0, SortedSet::len));
        Ok(Flow::Done)
    }
}
