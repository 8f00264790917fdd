//! `HLEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};

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
        compat: Compat::Differs(
            "Fields whose time is over, but which are still there, do not count. Redis counts them.",
        ),
        ..Spec::named("hlen")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields(key)?;
        ctx.reply.count(fields.map_or(0, |fields| fields.len()));
        Ok(Flow::Done)
    }
}
