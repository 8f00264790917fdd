//! `EXPIRE`, `PEXPIRE`, `EXPIREAT` and `PEXPIREAT`.

use engine::UnixMs;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

use super::expiry::{Base, Unit, expiry_ms};

/// What the rows of the family share.
const FAMILY: Spec = Spec {
    group: Group::Generic,
    complexity: "O(1)",
    arity: Arity::AtLeast(3),
    flags: Flags::FAST.and(Flags::WRITE),
    keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
    history: &[("7.0.0", "NX, XX, GT and LT were added.")],
    ..Spec::named("")
};

const CONDITION: Arg = Arg::one_of(
    "condition",
    &[
        Arg::word("nx", "NX"),
        Arg::word("xx", "XX"),
        Arg::word("gt", "GT"),
        Arg::word("lt", "LT"),
    ],
)
.since("7.0.0")
.optional();

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) struct Expire;

impl Command for Expire {
    const SPEC: Spec = Spec {
        name: "expire",
        summary: "Sets the time to live of a key, in seconds.",
        since: "1.0.0",
        args: &[Arg::key("key", 0), Arg::integer("seconds"), CONDITION],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args, Unit::Seconds, Base::Now, "expire")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(&cmd, ctx)
    }
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(super) struct PExpire;

impl Command for PExpire {
    const SPEC: Spec = Spec {
        name: "pexpire",
        summary: "Sets the time to live of a key, in milliseconds.",
        since: "2.6.0",
        args: &[Arg::key("key", 0), Arg::integer("milliseconds"), CONDITION],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args, Unit::Milliseconds, Base::Now, "pexpire")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(&cmd, ctx)
    }
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub(super) struct ExpireAt;

impl Command for ExpireAt {
    const SPEC: Spec = Spec {
        name: "expireat",
        summary: "Sets when a key expires, in seconds since 1970.",
        since: "1.2.0",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-seconds"),
            CONDITION,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args, Unit::Seconds, Base::Epoch, "expireat")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(&cmd, ctx)
    }
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub(super) struct PExpireAt;

impl Command for PExpireAt {
    const SPEC: Spec = Spec {
        name: "pexpireat",
        summary: "Sets when a key expires, in milliseconds since 1970.",
        since: "2.6.0",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-milliseconds"),
            CONDITION,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args, Unit::Milliseconds, Base::Epoch, "pexpireat")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(&cmd, ctx)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    number: i64,
    unit: Unit,
    base: Base,
    name: &'static str,
    when: When,
}

/// For which keys the expiry is set.
#[derive(Default)]
struct When {
    /// Those without one.
    missing: bool,
    /// Those with one.
    there: bool,
    /// Those that would expire later by it.
    later: bool,
    /// Those that would expire earlier by it.
    earlier: bool,
}

fn parse<'a>(
    args: &mut Args<'a>,
    unit: Unit,
    base: Base,
    name: &'static str,
) -> Result<Parsed<'a>, CmdError> {
    let key = args.required()?;
    let number = args.required()?;
    let mut when = When::default();
    while args.left() > 0 {
        if args.keyword("NX") {
            when.missing = true;
        } else if args.keyword("XX") {
            when.there = true;
        } else if args.keyword("GT") {
            when.later = true;
        } else if args.keyword("LT") {
            when.earlier = true;
        } else {
            let option = String::from_utf8_lossy(args.required()?).into_owned();
            return Err(CmdError::UnsupportedOption(option));
        }
    }
    if when.missing && (when.there || when.later || when.earlier) {
        return Err(CmdError::ExpireOptions);
    }
    if when.later && when.earlier {
        return Err(CmdError::ExpireLaterAndEarlier);
    }
    let number = engine::args::parse_i64(number).ok_or(CmdError::NotAnInteger)?;
    Ok(Parsed {
        key,
        number,
        unit,
        base,
        name,
        when,
    })
}

impl When {
    fn allows(&self, now: Option<UnixMs>, then: UnixMs) -> bool {
        // A key without an expiry counts as expiring infinitely late.
        let is_later = now.is_some_and(|now| then > now);
        let is_earlier = now.is_none_or(|now| then < now);
        (!self.missing || now.is_none())
            && (!self.there || now.is_some())
            && (!self.later || is_later)
            && (!self.earlier || is_earlier)
    }
}

fn execute(cmd: &Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let key = cmd.key;
    let at = expiry_ms(cmd.number, cmd.unit, cmd.base, ctx.now.unix());
    let at = at.ok_or(CmdError::InvalidExpire(cmd.name))?;
    let allowed = match ctx.store.peek(key) {
        Some(record) => cmd.when.allows(record.expires_at(), at),
        None => false,
    };
    if allowed && at <= ctx.now.unix() && ctx.mode != Mode::Replay {
        ctx.store
            .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
    } else if allowed {
        let expire = Effect::on(key, KeyChange::ExpireAt { at });
        ctx.store.apply(&expire, event::EXPIRE);
    }
    ctx.reply.int(i64::from(allowed));
    Ok(Flow::Done)
}
