//! `HLEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Hash;

/// `HLEN key`
pub(super) struct HLen;

impl PlainCommand for HLen {
    const SPEC: Spec = Spec {
        summary: "Tells how many fields a hash has.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("hlen")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let hash = ctx.store.get::<Hash>(key)?;
        ctx.reply.count(hash.map_or(0, Hash::len));
        Ok(Flow::Done)
    }
}
