//! `HGETALL`, `HKEYS` and `HVALS`: what is in a hash.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Fields;

use crate::element::write_element;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "2.0.0",
    group: Group::Hash,
    complexity: "O(N) where N is the size of the hash.",
    arity: Arity::Exactly(2),
    flags: Flags::READONLY,
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    tips: &["nondeterministic_output_order"],
    args: &[Arg::key("key", 0)],
    ..Spec::named("")
};

/// `HGETALL key`
pub(super) struct HGetAll;

impl PlainCommand for HGetAll {
    const SPEC: Spec = Spec {
        name: "hgetall",
        summary: "Answers all fields of a hash with their values.",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields(key)?.unwrap_or(Fields::NONE);
        ctx.reply.map(fields.len());
        ctx.reply.each_text(fields.iter(), |texts, entry| {
            write_element(entry.name(), texts);
            write_element(entry.value(), texts);
        });
        Ok(Flow::Done)
    }
}

/// `HKEYS key`
pub(super) struct HKeys;

impl PlainCommand for HKeys {
    const SPEC: Spec = Spec {
        name: "hkeys",
        summary: "Answers all fields of a hash.",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields(key)?.unwrap_or(Fields::NONE);
        ctx.reply.array(fields.len());
        ctx.reply.each_text(fields.iter(), |texts, entry| {
            write_element(entry.name(), texts);
        });
        Ok(Flow::Done)
    }
}

/// `HVALS key`
pub(super) struct HVals;

impl PlainCommand for HVals {
    const SPEC: Spec = Spec {
        name: "hvals",
        summary: "Answers the values of all fields of a hash.",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields(key)?.unwrap_or(Fields::NONE);
        ctx.reply.array(fields.len());
        ctx.reply.each_text(fields.iter(), |texts, entry| {
            write_element(entry.value(), texts);
        });
        Ok(Flow::Done)
    }
}
