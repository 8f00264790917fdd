//! `INCR`, `DECR`, `INCRBY`, `DECRBY` and `INCRBYFLOAT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, Expiry, StringChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use rustc_apfloat::Float;
use values::StringValue;

use crate::float::{Number, format_float, parse_float};

/// What the rows of the family share.
const FAMILY: Spec = Spec {
    group: Group::String,
    complexity: "O(1)",
    flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
    keys: &[KeySpec::at(
        1,
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
    )],
    ..Spec::named("")
};

/// `INCR key`
pub(super) struct Incr;

impl PlainCommand for Incr {
    const SPEC: Spec = Spec {
        name: "incr",
        summary: "Adds one to the number in a string.",
        since: "1.0.0",
        arity: Arity::Exactly(2),
        args: &[Arg::key("key", 0)],
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        add(key, 1, ctx)
    }
}

/// `DECR key`
pub(super) struct Decr;

impl PlainCommand for Decr {
    const SPEC: Spec = Spec {
        name: "decr",
        summary: "Subtracts one from the number in a string.",
        since: "1.0.0",
        arity: Arity::Exactly(2),
        args: &[Arg::key("key", 0)],
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        add(key, -1, ctx)
    }
}

/// `INCRBY key increment`
pub(super) struct IncrBy;

impl PlainCommand for IncrBy {
    const SPEC: Spec = Spec {
        name: "incrby",
        summary: "Adds to the number in a string.",
        since: "1.0.0",
        arity: Arity::Exactly(3),
        args: &[Arg::key("key", 0), Arg::integer("increment")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], i64);

    fn execute((key, by): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        add(key, by, ctx)
    }
}

/// `DECRBY key decrement`
pub(super) struct DecrBy;

impl PlainCommand for DecrBy {
    const SPEC: Spec = Spec {
        name: "decrby",
        summary: "Subtracts from the number in a string.",
        since: "1.0.0",
        arity: Arity::Exactly(3),
        args: &[Arg::key("key", 0), Arg::integer("decrement")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], i64);

    fn execute((key, by): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let by = by.checked_neg().ok_or(CmdError::DecrementOverflow)?;
        add(key, by, ctx)
    }
}

/// `INCRBYFLOAT key increment`
pub(super) struct IncrByFloat;

impl PlainCommand for IncrByFloat {
    const SPEC: Spec = Spec {
        name: "incrbyfloat",
        summary: "Adds to the floating-point number in a string.",
        since: "2.6.0",
        arity: Arity::Exactly(3),
        args: &[Arg::key("key", 0), Arg::double("increment")],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, by): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let number = match ctx.store.get::<StringValue>(key)? {
            Some(string) => string.with_bytes(parse_float).ok_or(CmdError::NotAFloat)?,
            None => Number::ZERO,
        };
        let by = parse_float(by).ok_or(CmdError::NotAFloat)?;
        let sum = (number + by).value;
        if !sum.is_finite() {
            return Err(CmdError::NotFinite);
        }
        let text = format_float(sum);
        let set = StringChange::Set {
            value: text.as_bytes(),
            expiry: Expiry::Keep,
        };
        ctx.store.apply(&Effect::on(key, set), event::INCRBYFLOAT);
        ctx.reply.bulk(text.as_bytes());
        Ok(Flow::Done)
    }
}

/// Adds to the number in a string and answers the sum; a missing key counts as 0.
fn add(key: &[u8], by: i64, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let number = match ctx.store.get::<StringValue>(key)? {
        Some(string) => string.as_integer().ok_or(CmdError::NotAnInteger)?,
        None => 0,
    };
    let sum = number.checked_add(by).ok_or(CmdError::Overflow)?;
    let mut digits = itoa::Buffer::new();
    let set = StringChange::Set {
        value: digits.format(sum).as_bytes(),
        expiry: Expiry::Keep,
    };
    ctx.store.apply(&Effect::on(key, set), event::INCRBY);
    ctx.reply.int(sum);
    Ok(Flow::Done)
}
