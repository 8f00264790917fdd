//! `HSTRLEN`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};

/// `HSTRLEN key field`
pub(super) struct HStrLen;

impl PlainCommand for HStrLen {
    const SPEC: Spec = Spec {
        summary: "Tells how long the value of a field of a hash is.",
        since: "3.2.0",
        group: Group::Hash,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0), Arg::string("field")],
        seeks: Seeks::Second,
        ..Spec::named("hstrlen")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, field): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        let value = fields.and_then(|fields| fields.get(field));
        ctx.reply.count(value.map_or(0, |value| value.len()));
        Ok(Flow::Done)
    }
}
