//! `SCARD`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Set;

/// `SCARD key`
pub(super) struct SCard;

impl PlainCommand for SCard {
    const SPEC: Spec = Spec {
        summary: "Tells how many members a set has.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("scard")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<Set>(key)?;
        ctx.reply.count(set.map_or(0, Set::len));
        Ok(Flow::Done)
    }
}
