//! `HSETNX`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};

/// `HSETNX key field value`
pub(super) struct HSetNx;

impl PlainCommand for HSetNx {
    const SPEC: Spec = Spec {
        summary: "Sets a field of a hash, if it does not exist.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::string("value"),
        ],
        seeks: Seeks::Second,
        ..Spec::named("hsetnx")
    };
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn execute((key, field, value): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        let is_free = fields.is_none_or(|fields| fields.get(field).is_none());
        if is_free {
            let set = hash::HashChange::SetField { field, value };
            ctx.store.apply(&Effect::on(key, set), hash::events::HSET);
        }
        ctx.reply.int(i64::from(is_free));
        Ok(Flow::Done)
    }
}
