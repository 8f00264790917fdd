//! `HDEL`.

use collections::Places;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, Event, hash};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Fields;

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
        ..Spec::named("hdel")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, fields): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(all) = ctx.store.fields_named(key, fields.iter())? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let event = event_of_deletion(all, count_stored(all, fields.iter()));
        let delete = Effect::on(key, hash::HashChange::Delete { fields });
        let deleted = ctx.store.apply(&delete, event);
        ctx.reply.int(deleted as i64);
        Ok(Flow::Done)
    }
}

/// What it means that fields of a hash are deleted, so many different ones: the key goes with the
/// last one.
pub(super) fn event_of_deletion(all: Fields<'_>, different: usize) -> &'static Event {
    match different < all.stored_len() {
        true => hash::events::HDEL,
        false => hash::events::HDEL_ALL,
    }
}

/// How many of these fields are there, each counted once. Where they are too few to be all, nobody
/// needs to know.
pub(super) fn count_stored<'f>(
    all: Fields<'_>,
    fields: impl ExactSizeIterator<Item = &'f [u8]>,
) -> usize {
    if fields.len() < all.stored_len() {
        return fields.len();
    }
    let mut places = Places::default();
    for field in fields.filter_map(|field| all.find_stored(field)) {
        places.insert(field.place());
    }
    places.len()
}
