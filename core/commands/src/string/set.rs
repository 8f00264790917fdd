//! `SET`, `SETNX`, `SETEX`, `PSETEX` and `GETSET`.

use engine::args::{Args, has_option};
use engine::command::{Command, Ctx, Flow, Mode, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, Event, Expiry, KeyChange, StringChange, event};
use engine::table::{Arg, Arity, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::condition::{Condition, Existence, compares};
use super::expiration::{Expiration, Lifetime};
use super::reply::reply_string;
use crate::key::expiry::Unit;

/// `SET key value [condition] [GET] [expiration]`
pub(super) struct Set;

impl Command for Set {
    const SPEC: Spec = Spec {
        summary: "Sets the string of a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::WRITE).and(Flags::LIGHT),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW
                .and(KeyFlags::ACCESS)
                .and(KeyFlags::UPDATE)
                .and(KeyFlags::VARIABLE_FLAGS),
        )
        .noted("")],
        key_flags: Some(|request| {
            if has_option(request, "GET") {
                KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE)
            } else if compares(request) {
                KeyFlags::RW.and(KeyFlags::UPDATE)
            } else {
                KeyFlags::OW.and(KeyFlags::UPDATE)
            }
        }),
        history: &[
            ("2.6.12", "EX, PX, NX and XX were added."),
            ("6.0.0", "KEEPTTL was added."),
            ("6.2.0", "GET, EXAT and PXAT were added."),
            ("7.0.0", "NX and GET may stand together."),
            ("8.4.0", "IFEQ, IFNE, IFDEQ and IFDNE were added."),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::string("value"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX"),
                    Arg::word("xx", "XX"),
                    Arg::string("ifeq-value").token("IFEQ").since("8.4.0"),
                    Arg::string("ifne-value").token("IFNE").since("8.4.0"),
                    Arg::integer("ifdeq-digest").token("IFDEQ").since("8.4.0"),
                    Arg::integer("ifdne-digest").token("IFDNE").since("8.4.0"),
                ],
            )
            .since("2.6.12")
            .optional(),
            Arg::word("get", "GET").since("6.2.0").optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX").since("2.6.12"),
                    Arg::integer("milliseconds").token("PX").since("2.6.12"),
                    Arg::unix_time("unix-time-seconds")
                        .token("EXAT")
                        .since("6.2.0"),
                    Arg::unix_time("unix-time-milliseconds")
                        .token("PXAT")
                        .since("6.2.0"),
                    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ],
        ..Spec::named("set")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let (key, value) = (args.required()?, args.required()?);
        let mut parsed = Parsed {
            key,
            value,
            existence: Existence::Any,
            condition: None,
            get: false,
            lifetime: Lifetime::Unsaid,
        };
        while args.left() > 0 {
            if parsed.existence.parse(args) {
                continue;
            } else if let Some(condition) = Condition::parse(args)? {
                // NX and XX may follow on a condition, but not go before one.
                let alone = parsed.existence == Existence::Any;
                if !alone
                    || parsed
                        .condition
                        .is_some_and(|last| !last.is_alike(&condition))
                {
                    return Err(CmdError::Syntax);
                }
                parsed.condition = Some(condition);
            } else if args.keyword("GET") {
                parsed.get = true;
            } else if !parsed.lifetime.parse(args, "KEEPTTL")? {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { key, value, .. } = cmd;
        let expiry = cmd.lifetime.expiry(ctx.now.unix(), "set")?;
        let mut met = cmd.existence.holds(key, ctx);
        if met && let Some(condition) = cmd.condition {
            met = match ctx.store.reading().get::<StringValue>(key)? {
                Some(string) => condition.holds(string)?,
                None => condition.holds_for_missing(),
            };
        }
        if cmd.get {
            reply_string(ctx.store.reading().get::<StringValue>(key)?, ctx.reply);
        } else if met {
            ctx.reply.ok();
        } else {
            ctx.reply.null();
        }
        if met {
            set(key, value, expiry, ctx);
        }
        Ok(Flow::Done)
    }
}

/// `SETNX key value`
pub(super) struct SetNx;

impl PlainCommand for SetNx {
    const SPEC: Spec = Spec {
        summary: "Sets the string of a key that does not exist.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::OW.and(KeyFlags::INSERT))],
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `NX` argument",
        }),
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..Spec::named("setnx")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, value): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let free = ctx.store.record(key).is_none();
        if free {
            set(key, value, Expiry::Never, ctx);
        }
        ctx.reply.int(i64::from(free));
        Ok(Flow::Done)
    }
}

/// What the rows of `SETEX` and `PSETEX` share.
const WITH_TIME: Spec = Spec {
    group: Group::String,
    complexity: "O(1)",
    arity: Arity::Exactly(4),
    flags: Flags::DENY_OOM.and(Flags::WRITE).and(Flags::LIGHT),
    keys: &[KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE))],
    ..Spec::named("")
};

/// `SETEX key seconds value`
pub(super) struct SetEx;

impl Command for SetEx {
    const SPEC: Spec = Spec {
        name: "setex",
        summary: "Sets the string of a key, and its time to live in seconds.",
        since: "2.0.0",
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `EX` argument",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            Arg::string("value"),
        ],
        ..WITH_TIME
    };
    type Parsed<'a> = WithTime<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<WithTime<'a>, CmdError> {
        WithTime::parse(args, Unit::Seconds, "setex")
    }

    fn execute(cmd: WithTime<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.set(ctx)
    }
}

/// `PSETEX key milliseconds value`
pub(super) struct PSetEx;

impl Command for PSetEx {
    const SPEC: Spec = Spec {
        name: "psetex",
        summary: "Sets the string of a key, and its time to live in milliseconds.",
        since: "2.6.0",
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `PX` argument",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            Arg::string("value"),
        ],
        ..WITH_TIME
    };
    type Parsed<'a> = WithTime<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<WithTime<'a>, CmdError> {
        WithTime::parse(args, Unit::Milliseconds, "psetex")
    }

    fn execute(cmd: WithTime<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.set(ctx)
    }
}

/// The arguments of `SETEX` and `PSETEX`.
pub(super) struct WithTime<'a> {
    key: &'a [u8],
    expiration: Expiration<'a>,
    value: &'a [u8],
    /// Names the command in its error.
    name: &'static str,
}

impl<'a> WithTime<'a> {
    fn parse(
        args: &mut Args<'a>,
        unit: Unit,
        name: &'static str,
    ) -> Result<WithTime<'a>, CmdError> {
        Ok(WithTime {
            key: args.required()?,
            expiration: Expiration::after(args.required()?, unit),
            value: args.required()?,
            name,
        })
    }

    fn set(self, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let at = self.expiration.resolve(ctx.now.unix(), self.name)?;
        set(self.key, self.value, Expiry::At(at), ctx);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `GETSET key value`
pub(super) struct GetSet;

impl PlainCommand for GetSet {
    const SPEC: Spec = Spec {
        summary: "Sets the string of a key, and answers what it was.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`SET` with the `!GET` argument",
        }),
        args: &[Arg::key("key", 0), Arg::string("value")],
        ..Spec::named("getset")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, value): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_string(ctx.store.reading().get::<StringValue>(key)?, ctx.reply);
        set(key, value, Expiry::Never, ctx);
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    value: &'a [u8],
    existence: Existence,
    condition: Option<Condition<'a>>,
    get: bool,
    lifetime: Lifetime<'a>,
}

/// Sets the string, unless it would have expired already.
pub(super) fn set(key: &[u8], value: &[u8], expiry: Expiry, ctx: &mut Ctx<'_>) {
    let event = match expiry {
        Expiry::At(_) => event::SET_EXPIRE,
        Expiry::Never | Expiry::Keep => event::SET,
    };
    set_as(key, value, expiry, event, ctx);
}

/// The same, by an event of its own.
pub(super) fn set_as(
    key: &[u8],
    value: &[u8],
    expiry: Expiry,
    event: &'static Event,
    ctx: &mut Ctx<'_>,
) {
    match expiry {
        Expiry::At(at) if at <= ctx.now.unix() && ctx.mode != Mode::Replay => {
            if ctx.store.peek(key).is_some() {
                ctx.store
                    .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
            }
        }
        Expiry::At(_) | Expiry::Never | Expiry::Keep => {
            let set = StringChange::Set { value, expiry };
            ctx.store.apply(&Effect::on(key, set), event);
        }
    }
}
