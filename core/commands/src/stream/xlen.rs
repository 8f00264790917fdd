//! `XLEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::Stream;

/// `XLEN key`
pub(super) struct XLen;

impl PlainCommand for XLen {
    const SPEC: Spec = Spec {
        summary: "Tells how many entries a stream holds.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("xlen")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let len = ctx
            .store
            .get::<Stream>(key)?
            .map_or(0, |stream| stream.len());
        ctx.reply.int(len as i64);
        Ok(Flow::Done)
    }
}
