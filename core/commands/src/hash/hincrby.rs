//! `HINCRBY` and `HINCRBYFLOAT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, HashError};
use engine::store::effect::{Effect, Event, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use rustc_apfloat::Float;

use crate::float::{Number, format_float, parse_float};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::Hash,
    complexity: "O(1)",
    arity: Arity::Exactly(4),
    flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
    keys: &[KeySpec::at(
        1,
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
    )],
    ..Spec::named("")
};

/// `HINCRBY key field increment`
pub(super) struct HIncrBy;

impl PlainCommand for HIncrBy {
    const SPEC: Spec = Spec {
        name: "hincrby",
        seeks: Seeks::Second,
        summary: "Adds to the number in a field of a hash.",
        since: "2.0.0",
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::integer("increment"),
        ],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8], i64);

    fn execute((key, field, by): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        let found = fields.and_then(|fields| fields.find(field));
        let keeps = found.is_some_and(|entry| entry.date().is_some());
        let number = match found.map(|entry| entry.value()) {
            Some(value) => value
                .as_integer()
                .ok_or(CmdError::Hash(HashError::FieldNotAnInteger))?,
            None => 0,
        };
        let sum = number.checked_add(by).ok_or(CmdError::Overflow)?;
        let mut digits = itoa::Buffer::new();
        let value = digits.format(sum).as_bytes();
        set(key, field, value, keeps, hash::events::HINCRBY, ctx);
        ctx.reply.int(sum);
        Ok(Flow::Done)
    }
}

/// `HINCRBYFLOAT key field increment`
pub(super) struct HIncrByFloat;

impl PlainCommand for HIncrByFloat {
    const SPEC: Spec = Spec {
        name: "hincrbyfloat",
        summary: "Adds to the floating-point number in a field of a hash.",
        since: "2.6.0",
        args: &[
            Arg::key("key", 0),
            Arg::string("field"),
            Arg::double("increment"),
        ],
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn execute((key, field, by): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let by = parse_float(by).ok_or(CmdError::NotAFloat)?;
        if !by.is_finite() {
            return Err(CmdError::InfiniteIncrement);
        }
        let fields = ctx.store.fields_named(key, std::iter::once(field))?;
        let found = fields.and_then(|fields| fields.find(field));
        let keeps = found.is_some_and(|entry| entry.date().is_some());
        let number = match found.map(|entry| entry.value()) {
            Some(value) => value.with_bytes(parse_float),
            None => Some(Number::ZERO),
        };
        let number = number.ok_or(CmdError::Hash(HashError::FieldNotAFloat))?;
        let sum = (number + by).value;
        if !sum.is_finite() {
            return Err(CmdError::NotFinite);
        }
        let text = format_float(sum);
        let value = text.as_bytes();
        set(key, field, value, keeps, hash::events::HINCRBYFLOAT, ctx);
        ctx.reply.bulk(value);
        Ok(Flow::Done)
    }
}

/// Sets the field. A deadline that it has stays.
fn set(
    key: &[u8],
    field: &[u8],
    value: &[u8],
    keeps: bool,
    event: &'static Event,
    ctx: &mut Ctx<'_>,
) {
    let change = match keeps {
        true => hash::HashChange::SetFieldKeeping { field, value },
        false => hash::HashChange::SetField { field, value },
    };
    ctx.store.apply(&Effect::on(key, change), event);
}
