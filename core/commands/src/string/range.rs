//! `APPEND`, `GETRANGE`, `SUBSTR` and `SETRANGE`: parts of strings.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, StringChange, event};
use engine::table::{Arg, Arity, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::reply::reply_range;

/// `APPEND key value`
pub(super) struct Append;

impl PlainCommand for Append {
    const SPEC: Spec = Spec {
        summary: "Appends bytes to the string of a key, and answers its new length.",
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.",
        arity: Arity::Exactly(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..Spec::named("append")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, tail): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (len, copied) = ctx.store.get::<StringValue>(key)?.map_or((0, 0), |string| {
            let len = string.len();
            (len, string.bytes_to_copy(len.saturating_add(tail.len())))
        });
        let len = len.saturating_add(tail.len());
        if len > ctx.string_bytes_max() {
            return Err(CmdError::StringTooLong);
        }
        if ctx.waits_for_memory(copied) {
            return Ok(Flow::Block);
        }
        let append = Effect::on(key, StringChange::Append { tail });
        ctx.store.apply(&append, event::APPEND);
        ctx.reply.count(len);
        Ok(Flow::Done)
    }
}

/// `GETRANGE key start end`
pub(super) struct GetRange;

impl PlainCommand for GetRange {
    const SPEC: Spec = Spec {
        summary: "Answers a part of the string of a key.",
        since: "2.4.0",
        group: Group::String,
        complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        ..Spec::named("getrange")
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn execute(range: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        get_range(range, ctx)
    }
}

/// `SUBSTR key start end`
pub(super) struct SubStr;

impl PlainCommand for SubStr {
    const SPEC: Spec = Spec {
        summary: "Answers a part of the string of a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        deprecated: Some(Deprecated {
            since: "2.0.0",
            replaced_by: "`GETRANGE`",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("end"),
        ],
        ..Spec::named("substr")
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn execute(range: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        get_range(range, ctx)
    }
}

/// `SETRANGE key offset value`
pub(super) struct SetRange;

impl PlainCommand for SetRange {
    const SPEC: Spec = Spec {
        summary: "Overwrites a part of the string of a key, and tells how long it is then.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.",
        arity: Arity::Exactly(4),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::integer("offset"),
            Arg::string("value"),
        ],
        ..Spec::named("setrange")
    };
    type Args<'a> = (&'a [u8], i64, &'a [u8]);

    fn execute((key, offset, value): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let offset = usize::try_from(offset).map_err(|_| CmdError::OffsetOutOfRange)?;
        let end = offset.saturating_add(value.len());
        let (len, copied) = ctx
            .store
            .get::<StringValue>(key)?
            .map_or((0, 0), |string| (string.len(), string.bytes_to_copy(end)));
        if value.is_empty() {
            ctx.reply.count(len);
            return Ok(Flow::Done);
        }
        if end > ctx.string_bytes_max() {
            return Err(CmdError::StringTooLong);
        }
        if ctx.waits_for_memory(copied) {
            return Ok(Flow::Block);
        }
        let offset = offset as u32;
        let set_range = StringChange::SetRange { offset, value };
        ctx.store
            .apply(&Effect::on(key, set_range), event::SETRANGE);
        ctx.reply.count(len.max(end));
        Ok(Flow::Done)
    }
}

fn get_range((key, start, end): (&[u8], i64, i64), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    match ctx.store.get::<StringValue>(key)? {
        Some(string) => reply_range(string, string.range(start, end), ctx.reply),
        None => ctx.reply.bulk(b""),
    }
    Ok(Flow::Done)
}
