//! `HTTL`, `HPTTL`, `HEXPIRETIME`, `HPEXPIRETIME` and `HPERSIST`.

use collections::Places;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Fields;

use super::field_list::{Decided, FIELDS, KeyAndFields, answer_each};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "7.4.0",
    group: Group::Hash,
    complexity: "O(N) where N is the number of specified fields",
    arity: Arity::AtLeast(5),
    flags: Flags::FAST.and(Flags::READONLY),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    args: &[Arg::key("key", 0), FIELDS],
    ..Spec::named("")
};

/// What is answered for a field that does not exist, and for one without a deadline.
const MISSING: i8 = -2;
const NEVER: i8 = -1;

/// What is answered for one that does not expire any more.
const PERSISTED: i8 = 1;

/// `HTTL key FIELDS numfields field [field …]`
pub(super) struct HTtl;

impl Command for HTtl {
    const SPEC: Spec = Spec {
        name: "httl",
        summary: "Tells how long fields of a hash have to live, in seconds.",
        tips: &["nondeterministic_output"],
        ..FAMILY
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        reply_each(cmd, ctx, |at| seconds(at.saturating_sub(now_ms)))
    }
}

/// `HPTTL key FIELDS numfields field [field …]`
pub(super) struct HPTtl;

impl Command for HPTtl {
    const SPEC: Spec = Spec {
        name: "hpttl",
        summary: "Tells how long fields of a hash have to live, in milliseconds.",
        tips: &["nondeterministic_output"],
        ..FAMILY
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        reply_each(cmd, ctx, |at| at.saturating_sub(now_ms))
    }
}

/// `HEXPIRETIME key FIELDS numfields field [field …]`
pub(super) struct HExpireTime;

impl Command for HExpireTime {
    const SPEC: Spec = Spec {
        name: "hexpiretime",
        summary: "Tells when fields of a hash expire, in seconds since 1970.",
        ..FAMILY
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_each(cmd, ctx, seconds)
    }
}

/// `HPEXPIRETIME key FIELDS numfields field [field …]`
pub(super) struct HPExpireTime;

impl Command for HPExpireTime {
    const SPEC: Spec = Spec {
        name: "hpexpiretime",
        summary: "Tells when fields of a hash expire, in milliseconds since 1970.",
        ..FAMILY
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_each(cmd, ctx, |at| at)
    }
}

/// `HPERSIST key FIELDS numfields field [field …]`
pub(super) struct HPersist;

impl Command for HPersist {
    const SPEC: Spec = Spec {
        name: "hpersist",
        summary: "Lets fields of a hash never expire.",
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        ..FAMILY
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let KeyAndFields { key, fields } = cmd;
        ctx.store.fields(key)?;
        let named = fields?;
        let fields = ctx.store.fields_named(key, named.iter())?;
        let fields = fields.unwrap_or(Fields::NONE);
        let mut known = Places::default();
        let mut is_first = |place| named.len() == 1 || known.insert(place);
        let persisted = answer_each(fields, named, ctx.reply, |found| match found {
            None => Decided::Stays(MISSING),
            Some(entry) if entry.date().is_some() && is_first(entry.place()) => {
                Decided::Changes(PERSISTED)
            }
            Some(_) => Decided::Stays(NEVER),
        });
        if !persisted.is_empty() {
            let fields = persisted.as_slice();
            let persist = Effect::on(key, hash::HashChange::Persist { fields });
            ctx.store.apply(&persist, hash::events::HPERSIST);
        }
        Ok(Flow::Done)
    }
}

/// Answers for each field what `show` makes of its deadline.
fn reply_each(
    cmd: KeyAndFields<'_>,
    ctx: &mut Ctx<'_>,
    show: impl Fn(u64) -> u64,
) -> Result<Flow, CmdError> {
    let KeyAndFields { key, fields } = cmd;
    let named = match fields {
        Ok(named) => named,
        // A wrong type is told first.
        Err(error) => {
            ctx.store.fields(key)?;
            return Err(error);
        }
    };
    let fields = ctx.store.fields_named(key, named.iter())?;
    let fields = fields.unwrap_or(Fields::NONE);
    ctx.reply.array(named.len());
    fields.find_each(named.iter(), |_, found| {
        ctx.reply.int(match found {
            None => i64::from(MISSING),
            Some(entry) => entry
                .date()
                .map_or(i64::from(NEVER), |at| show(at).cast_signed()),
        });
    });
    Ok(Flow::Done)
}

/// Whole seconds, rounded up.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}
