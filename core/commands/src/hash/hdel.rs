//! `HDEL`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;

/// `HDEL key field [field …]`
pub(super) struct HDel;

impl PlainCommand for HDel {
    const SPEC: Spec = Spec {
        summary: "Deletes fields of a hash, and tells how many there were.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields to be removed.",
        arity: Arity::AtLeast(3),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        history: &[("2.4.0", "Several fields.")],
        args: &[Arg::key("key", 0), Arg::string("field").multiple()],
        compat: Compat::Differs(
            "A field whose time is over, but which is still there, does not count. Redis counts it.",
        ),
        seeks: Seeks::Second,
        ..Spec::named("hdel")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, fields): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.store.fields_named(key, fields.iter())?.is_none() {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        }
        let deleted = delete(key, hash::HashChange::Delete { fields }, ctx);
        ctx.reply.int(deleted as i64);
        Ok(Flow::Done)
    }
}

/// Deletes fields of a hash, and the key with the last one. Returns how many there were.
pub(super) fn delete(key: &[u8], change: hash::HashChange<'_>, ctx: &mut Ctx<'_>) -> u64 {
    let delete = Effect::on(key, change);
    let (some, all) = (hash::events::HDEL, hash::events::HDEL_ALL);
    ctx.store.apply_taking(&delete, some, all)
}
