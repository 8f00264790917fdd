//! `SMEMBERS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Set;

use crate::element::write_element;

/// `SMEMBERS key`
pub(super) struct SMembers;

/// A set that is missing has no members.
static NONE: Set = Set::new();

impl PlainCommand for SMembers {
    const SPEC: Spec = Spec {
        summary: "Answers all members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the set cardinality.",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output_order"],
        args: &[Arg::key("key", 0)],
        ..Spec::named("smembers")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<Set>(key)?.unwrap_or(&NONE);
        ctx.reply.set(set.len());
        ctx.reply
            .each_text(set.iter(), |texts, member| write_element(member, texts));
        Ok(Flow::Done)
    }
}
