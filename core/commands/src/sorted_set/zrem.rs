//! `ZREM`.

use std::collections::BTreeSet;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, sorted_set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::SortedSet;

/// `ZREM key member [member …]`
pub(super) struct ZRem;

impl PlainCommand for ZRem {
    const SPEC: Spec = Spec {
        summary: "Removes members of a sorted set, and tells how many there were.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.",
        arity: Arity::AtLeast(3),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        history: &[("2.4.0", "Several members.")],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        ..Spec::named("zrem")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(set) = ctx.store.get::<SortedSet>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let event = match are_all(set, members) {
            true => sorted_set::events::ZREM_ALL,
            false => sorted_set::events::ZREM,
        };
        let remove = Effect::on(key, sorted_set::SortedSetChange::Remove { members });
        let removed = ctx.store.apply(&remove, event);
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}

/// Returns whether a sorted set has no other members than these.
fn are_all(set: &SortedSet, members: Argv<'_>) -> bool {
    if members.len() < set.len() {
        return false;
    }
    let members: BTreeSet<&[u8]> = members.iter().collect();
    set.iter().all(|it| members.contains(it.member))
}
