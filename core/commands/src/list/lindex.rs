//! `LINDEX`.

use engine::args::parse_i64;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::index_of;
use crate::element::reply_element;

/// `LINDEX key index`
pub(super) struct LIndex;

impl PlainCommand for LIndex {
    const SPEC: Spec = Spec {
        summary: "Answers an element of a list.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::integer("index")],
        compat: Compat::Differs(
            "An index beyond 32 bits is beyond the list. Redis drops its upper bits, and so takes \
             9223372036854775807 for -1.",
        ),
        ..Spec::named("lindex")
    };
    // Without a list, nobody looks at the index.
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, index): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let element = match ctx.store.get::<List>(key)? {
            Some(list) => {
                let index = parse_i64(index).ok_or(CmdError::NotAnInteger)?;
                index_of(index, list.len()).and_then(|at| list.get(at))
            }
            None => None,
        };
        reply_element(element, ctx.reply);
        Ok(Flow::Done)
    }
}
