//! `LSET`.

use engine::args::parse_i64;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::index_of;

/// `LSET key index element`
pub(super) struct LSet;

impl PlainCommand for LSet {
    const SPEC: Spec = Spec {
        summary: "Puts an element in the place of another.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).",
        arity: Arity::Exactly(4),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("index"),
            Arg::string("element"),
        ],
        compat: Compat::Differs(
            "An index beyond 32 bits is beyond the list. Redis drops its upper bits, and so takes \
             9223372036854775807 for -1.",
        ),
        ..Spec::named("lset")
    };
    // Without a list, nobody looks at the index.
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn execute((key, index, element): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let list = ctx.store.get::<List>(key)?.ok_or(CmdError::NoSuchKey)?;
        let index = parse_i64(index).ok_or(CmdError::NotAnInteger)?;
        let index = index_of(index, list.len()).ok_or(CmdError::IndexOutOfRange)?;
        let set = Effect::on(key, list::ListChange::Set { index, element });
        ctx.store.apply(&set, list::events::LSET);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
