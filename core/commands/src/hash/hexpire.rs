//! `HEXPIRE`, `HPEXPIRE`, `HEXPIREAT` and `HPEXPIREAT`.

use collections::Places;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, HashError};
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Fields;

use super::field_list::{Decided, FIELDS, answer_each, number_among_options, shown};
use super::hdel::delete;
use super::until::Until;
use crate::key::expiry::{Base, Unit};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "7.4.0",
    group: Group::Hash,
    complexity: "O(N) where N is the number of specified fields",
    arity: Arity::AtLeast(6),
    flags: Flags::FAST.and(Flags::WRITE),
    keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
    compat: Compat::Differs(
        "A field whose time is over, but which is still there, does not exist. Redis gives it the \
         new time, so that it is back.",
    ),
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
.optional();

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) struct HExpire;

impl Command for HExpire {
    const SPEC: Spec = Spec {
        name: "hexpire",
        summary: "Sets the time to live of fields of a hash, in seconds.",
        args: &[
            Arg::key("key", 0),
            Arg::integer("seconds"),
            CONDITION,
            FIELDS,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, Unit::Seconds, Base::Now, "hexpire", ctx)
    }
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) struct HPExpire;

impl Command for HPExpire {
    const SPEC: Spec = Spec {
        name: "hpexpire",
        summary: "Sets the time to live of fields of a hash, in milliseconds.",
        args: &[
            Arg::key("key", 0),
            Arg::integer("milliseconds"),
            CONDITION,
            FIELDS,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, Unit::Milliseconds, Base::Now, "hpexpire", ctx)
    }
}

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) struct HExpireAt;

impl Command for HExpireAt {
    const SPEC: Spec = Spec {
        name: "hexpireat",
        summary: "Sets when fields of a hash expire, in seconds since 1970.",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-seconds"),
            CONDITION,
            FIELDS,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, Unit::Seconds, Base::Epoch, "hexpireat", ctx)
    }
}

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]`
pub(super) struct HPExpireAt;

impl Command for HPExpireAt {
    const SPEC: Spec = Spec {
        name: "hpexpireat",
        summary: "Sets when fields of a hash expire, in milliseconds since 1970.",
        args: &[
            Arg::key("key", 0),
            Arg::unix_time("unix-time-milliseconds"),
            CONDITION,
            FIELDS,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, Unit::Milliseconds, Base::Epoch, "hpexpireat", ctx)
    }
}

/// What is wrong is told only once it is clear that the key can be a hash, the number first.
pub(super) struct Parsed<'a> {
    key: &'a [u8],
    number: Option<i64>,
    rest: Result<Rest<'a>, CmdError>,
}

struct Rest<'a> {
    condition: Option<Condition>,
    fields: Argv<'a>,
}

/// For which fields the deadline is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Those without one.
    Missing,
    /// Those with one.
    There,
    /// Those that would expire later by it.
    Later,
    /// Those that would expire earlier by it.
    Earlier,
}

impl Condition {
    fn parse(args: &mut Args<'_>) -> Option<Condition> {
        let words = [
            ("NX", Condition::Missing),
            ("XX", Condition::There),
            ("GT", Condition::Later),
            ("LT", Condition::Earlier),
        ];
        let found = words.into_iter().find(|(word, _)| args.keyword(word));
        found.map(|(_, condition)| condition)
    }

    /// A field without a deadline counts as expiring infinitely late.
    fn allows(self, before: Option<u64>, at: u64) -> bool {
        match self {
            Condition::Missing => before.is_none(),
            Condition::There => before.is_some(),
            Condition::Later => before.is_some_and(|before| at > before),
            Condition::Earlier => before.is_none_or(|before| at < before),
        }
    }
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let number = parse_i64(args.required()?);
        let rest = Rest::parse(&mut Args::new(args.rest(), 0));
        Ok(Parsed { key, number, rest })
    }
}

impl<'a> Rest<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Rest<'a>, CmdError> {
        let (mut condition, mut fields) = (None, None);
        while args.left() > 0 {
            if args.keyword("FIELDS") {
                if fields.is_some() {
                    return Err(CmdError::Hash(HashError::FieldsTwice));
                }
                if args.left() < 2 {
                    return Err(CmdError::Hash(HashError::FieldsEmpty));
                }
                let number = number_among_options(args)
                    .ok_or(CmdError::Hash(HashError::FieldsNotPositive))?;
                fields = Some(
                    args.take(number)
                        .map_err(|_| CmdError::Hash(HashError::FieldsShort))?,
                );
            } else if let Some(found) = Condition::parse(args) {
                if condition.is_some_and(|condition| condition != found) {
                    return Err(CmdError::SeveralConditions);
                }
                condition = Some(found);
            } else {
                return Err(CmdError::UnknownArgument(shown(args.required()?)));
            }
        }
        let fields = fields.ok_or(CmdError::Hash(HashError::FieldsMissing))?;
        Ok(Rest { condition, fields })
    }
}

/// What is answered for a field.
const MISSING: i8 = -2;
const NOT_MET: i8 = 0;
const SET: i8 = 1;
const DELETED: i8 = 2;

fn execute(
    cmd: Parsed<'_>,
    unit: Unit,
    base: Base,
    name: &'static str,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let key = cmd.key;
    ctx.store.fields(key)?;
    let number = cmd.number.ok_or(CmdError::NotAnInteger)?;
    let at = Until::new(number, unit, base)?.deadline_ms(ctx.now, name)?;
    let Rest { condition, fields } = cmd.rest?;
    let is_past = at <= ctx.store.over_ms();
    let all = ctx.store.fields_named(key, fields.iter())?;
    let all = all.unwrap_or(Fields::NONE);
    // A field that comes again is as the command has left it. Where the answer is the same whatever
    // it was, nobody has to know which have come.
    let tells_apart = condition.is_some() || is_past;
    let mut known = Places::default();
    let changed = answer_each(all, fields, ctx.reply, |found| {
        let is_known = tells_apart && found.is_some_and(|it| known.contains(it.place()));
        let before = match found {
            None => return Decided::Stays(MISSING),
            Some(_) if is_known && is_past => return Decided::Stays(MISSING),
            Some(_) if is_known => Some(at),
            Some(entry) => entry.date(),
        };
        if condition.is_some_and(|condition| !condition.allows(before, at)) {
            return Decided::Stays(NOT_MET);
        }
        if tells_apart && let Some(entry) = found {
            known.insert(entry.place());
        }
        Decided::Changes(if is_past { DELETED } else { SET })
    });
    let fields = changed.as_slice();
    if is_past && !fields.is_empty() {
        delete(key, hash::HashChange::DeleteEach { fields }, ctx);
    } else if !fields.is_empty() {
        let expire = Effect::on(key, hash::HashChange::ExpireAt { fields, at });
        ctx.store.apply(&expire, hash::events::HEXPIRE);
    }
    Ok(Flow::Done)
}
