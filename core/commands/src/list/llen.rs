//! `LLEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

/// `LLEN key`
pub(super) struct LLen;

impl PlainCommand for LLen {
    const SPEC: Spec = Spec {
        summary: "Tells how many elements a list has.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("llen")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let list = ctx.store.get::<List>(key)?;
        ctx.reply.count(list.map_or(0, List::len));
        Ok(Flow::Done)
    }
}
