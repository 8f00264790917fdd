//! `TYPE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

/// `TYPE key`
pub(super) struct Type;

impl PlainCommand for Type {
    const SPEC: Spec = Spec {
        summary: "Tells of which type the value of a key is.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("type")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.store.reading().peek(key) {
            Some(record) => ctx.reply.simple(record.value().type_name()),
            None => ctx.reply.simple("none"),
        }
        Ok(Flow::Done)
    }
}
