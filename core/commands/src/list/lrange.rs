//! `LRANGE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::range_of;
use crate::element::write_element;

/// `LRANGE key start stop`
pub(super) struct LRange;

/// A list that is missing has no elements.
static NONE: List = List::new();

impl PlainCommand for LRange {
    const SPEC: Spec = Spec {
        summary: "Answers a range of the elements of a list.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        ..Spec::named("lrange")
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn execute((key, start, stop): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let list = ctx.store.get::<List>(key)?.unwrap_or(&NONE);
        let (from, to) = range_of(start, stop, list.len());
        ctx.reply.array(to - from);
        let elements = list.range(from, to);
        ctx.reply
            .each_text(elements, |texts, element| write_element(element, texts));
        Ok(Flow::Done)
    }
}
