//! `LTRIM`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::range_of;

/// `LTRIM key start stop`
pub(super) struct LTrim;

impl PlainCommand for LTrim {
    const SPEC: Spec = Spec {
        summary: "Removes all elements of a list but a range.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of elements to be removed by the operation.",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        compat: Compat::Differs(
            "If there is nothing to remove, weir does not say that the key was changed: no event \
             is published, and no `WATCH` is broken.",
        ),
        ..Spec::named("ltrim")
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn execute((key, start, stop): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Some(list) = ctx.store.get::<List>(key)? {
            let len = list.len();
            let (from, to) = range_of(start, stop, len);
            if to - from < len {
                let trim = Effect::on(key, list::ListChange::Trim { from, to });
                let left = list::events::Left::after(len - (to - from), len);
                ctx.store.apply(&trim, list::events::ltrim(left));
            }
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
