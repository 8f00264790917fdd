//! `OBJECT`: how the value of a key is kept and used.

use engine::command::{Ctx, Entry, Flow, PlainCommand, container, entry};
use engine::config::Tracking;
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};

use crate::help::{Help, Helped};

/// `OBJECT`
pub(super) const OBJECT: Entry = container(
    Spec {
        summary: "Tells how the value of a key is kept and used.",
        since: "2.2.3",
        group: Group::Generic,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        ..Spec::named("object")
    },
    &[
        entry::<Encoding>(),
        entry::<Freq>(),
        entry::<Help<Object>>(),
        entry::<IdleTime>(),
        entry::<RefCount>(),
    ],
);

/// What the rows of the family share.
const FAMILY: Spec = Spec {
    group: Group::Generic,
    complexity: "O(1)",
    arity: Arity::Exactly(3),
    flags: Flags::READONLY,
    keys: &[KeySpec::at(2, KeyFlags::RO)],
    tips: &["nondeterministic_output"],
    args: &[Arg::key("key", 0)],
    ..Spec::named("")
};

/// `OBJECT ENCODING key`
pub(super) struct Encoding;

impl PlainCommand for Encoding {
    const SPEC: Spec = Spec {
        name: "encoding",
        summary: "Tells how the value of a key is kept.",
        since: "2.2.3",
        compat: Compat::Differs(
            "A command that changes nothing leaves the name as it is, also SADD of many members that \
             are there and HEXPIRE of fields that are not. A list that was cut to few elements is a \
             listpack, even if Redis has them in two nodes. Integers that SPOP leaves of a larger \
             set are an intset by the setting of that moment. A hash whose fields are all over \
             does not exist.",
        ),
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let encoding = ctx
            .store
            .reading()
            .peek(key)
            .map(|record| record.value().encoding(key.len()));
        match encoding {
            Some(encoding) => ctx.reply.bulk(encoding.as_bytes()),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

/// `OBJECT FREQ key`
pub(super) struct Freq;

impl PlainCommand for Freq {
    const SPEC: Spec = Spec {
        name: "freq",
        summary: "Tells how often a key is used, where that is counted.",
        since: "4.0.0",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.store.reading().frequency(key) {
            Some(_) if tracking(ctx) != Tracking::Frequency => Err(CmdError::NoFrequency),
            Some(frequency) => {
                ctx.reply.int(i64::from(frequency));
                Ok(Flow::Done)
            }
            None => {
                ctx.reply.null();
                Ok(Flow::Done)
            }
        }
    }
}

/// `OBJECT IDLETIME key`
pub(super) struct IdleTime;

impl PlainCommand for IdleTime {
    const SPEC: Spec = Spec {
        name: "idletime",
        summary: "Tells for how many seconds a key was not used.",
        since: "2.2.3",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now = ctx.now.unix();
        match ctx
            .store
            .reading()
            .peek(key)
            .map(|record| record.idle_s(now))
        {
            Some(_) if tracking(ctx) == Tracking::Frequency => return Err(CmdError::NoIdleTime),
            Some(idle_s) => ctx.reply.int(i64::from(idle_s)),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

/// What keys remember of how they are used.
fn tracking(ctx: &Ctx<'_>) -> Tracking {
    ctx.server.config.eviction.tracking()
}

/// `OBJECT REFCOUNT key`
pub(super) struct RefCount;

impl PlainCommand for RefCount {
    const SPEC: Spec = Spec {
        name: "refcount",
        summary: "Tells how many hold the value of a key: weir shares none.",
        since: "2.2.3",
        ..FAMILY
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.store.reading().peek(key) {
            Some(_) => ctx.reply.int(1),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

struct Object;

impl Helped for Object {
    const SINCE: &'static str = "6.2.0";
    const GROUP: Group = Group::Generic;
}
