//! `HEXISTS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};

/// `HEXISTS key field`
pub(super) struct HExists;

impl PlainCommand for HExists {
    const SPEC: Spec = Spec {
        summary: "Tells whether a hash has a field.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0), Arg::string("field")],
        seeks: Seeks::Second,
        ..Spec::named("hexists")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, field): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        let is_there = fields.is_some_and(|fields| fields.get(field).is_some());
        ctx.reply.int(i64::from(is_there));
        Ok(Flow::Done)
    }
}
