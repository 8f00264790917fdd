//! `HDEL`.

use std::collections::BTreeSet;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Hash;

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
        ..Spec::named("hdel")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, fields): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(hash) = ctx.store.get::<Hash>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let event = match are_all(hash, fields) {
            true => hash::events::HDEL_ALL,
            false => hash::events::HDEL,
        };
        let delete = Effect::on(key, hash::HashChange::Delete { fields });
        let deleted = ctx.store.apply(&delete, event);
        ctx.reply.int(deleted as i64);
        Ok(Flow::Done)
    }
}

/// Returns whether a hash has no other fields than these.
fn are_all(hash: &Hash, fields: Argv<'_>) -> bool {
    if fields.len() < hash.len() {
        return false;
    }
    let fields: BTreeSet<&[u8]> = fields.iter().collect();
    let mut all = hash.iter();
    all.all(|entry| entry.name().with_bytes(|name| fields.contains(name)))
}
