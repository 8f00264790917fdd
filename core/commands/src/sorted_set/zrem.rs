//! `ZREM`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, sorted_set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
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
        seeks: Seeks::Placed,
        ..Spec::named("zrem")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.store.get::<SortedSet>(key)?.is_none() {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        }
        let remove = Effect::on(key, sorted_set::SortedSetChange::Remove { members });
        let (some, all) = (sorted_set::events::ZREM, sorted_set::events::ZREM_ALL);
        let removed = ctx.store.apply_taking(&remove, some, all);
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}
