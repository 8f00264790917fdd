//! `HGET`.

use collections::Element;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Hash;

/// `HGET key field`
pub(super) struct HGet;

impl PlainCommand for HGet {
    const SPEC: Spec = Spec {
        summary: "Answers the value of a field of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::string("field")],
        ..Spec::named("hget")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, field): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let hash = ctx.store.get::<Hash>(key)?;
        match hash.and_then(|hash| hash.get(field)) {
            Some(Element::Integer(integer)) => ctx.reply.bulk_int(integer),
            Some(Element::Text(bytes)) => ctx.reply.bulk(bytes),
            Some(Element::Shared(bytes)) if ctx.reply.refers_to(bytes.len()) => {
                let bytes = bytes.clone();
                ctx.reply.bulk_shared(Box::new(bytes));
            }
            Some(Element::Shared(bytes)) => ctx.reply.bulk(bytes),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}
