//! `LREM`.

use collections::Element;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::FromEnd;

/// `LREM key count element`
pub(super) struct LRem;

impl PlainCommand for LRem {
    const SPEC: Spec = Spec {
        summary: "Removes elements that are equal to one, and tells how many there were.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("count"),
            Arg::string("element"),
        ],
        ..Spec::named("lrem")
    };
    type Args<'a> = (&'a [u8], FromEnd, &'a [u8]);

    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, FromEnd(count), element) = args;
        let Some(list) = ctx.store.get::<List>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let sought = Element::of(element);
        let are_enough = count == 0 || count.unsigned_abs() >= list.len() as u64;
        let left = match are_enough && list.iter().all(|it| it == sought) {
            true => list::events::Left::Nothing,
            false => list::events::Left::Some,
        };
        let remove = Effect::on(key, list::ListChange::Remove { count, element });
        let removed = ctx.store.apply(&remove, list::events::lrem(left));
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}
