//! `HGET` and `HMGET`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;

use crate::element::reply_element;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "2.0.0",
    group: Group::Hash,
    flags: Flags::READONLY.and(Flags::FAST),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    ..Spec::named("")
};

/// `HGET key field`
pub(super) struct HGet;

impl PlainCommand for HGet {
    const SPEC: Spec = Spec {
        name: "hget",
        seeks: Seeks::Second,
        summary: "Answers the value of a field of a hash.",
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        args: &[Arg::key("key", 0), Arg::string("field")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, field): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        reply_element(fields.and_then(|fields| fields.get(field)), ctx.reply);
        Ok(Flow::Done)
    }
}

/// `HMGET key field [field …]`
pub(super) struct HMGet;

impl PlainCommand for HMGet {
    const SPEC: Spec = Spec {
        name: "hmget",
        summary: "Answers the values of fields of a hash.",
        complexity: "O(N) where N is the number of fields being requested.",
        arity: Arity::AtLeast(3),
        args: &[Arg::key("key", 0), Arg::string("field").multiple()],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, fields): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let all = ctx.store.fields_named(key, fields.iter())?;
        ctx.reply.array(fields.len());
        ctx.reply.each(fields.iter(), |reply, field| {
            reply_element(all.and_then(|all| all.get(field)), reply);
        });
        Ok(Flow::Done)
    }
}
