//! `MGET`, `MSET`, `MSETNX` and `MSETEX`: several strings at once.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Expiry, event};
use engine::table::{Arg, Arity, BeginSearch, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Value;

use super::condition::Existence;
use super::expiration::Lifetime;
use super::reply::reply_string;
use super::set::{set, set_as};

/// `MGET key [key …]`
pub(super) struct MGet;

impl PlainCommand for MGet {
    const SPEC: Spec = Spec {
        summary: "Answers the strings of keys.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to retrieve.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::range(
            1,
            KeyFlags::RO.and(KeyFlags::ACCESS),
            -1,
            1,
            0,
        )],
        tips: &["request_policy:multi_shard"],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("mget")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.array(keys.len());
        ctx.reply.each(keys.iter(), |reply, key| {
            // What is no string is answered as if it were missing.
            reply_string(ctx.store.value(key).and_then(Value::get), reply);
        });
        Ok(Flow::Done)
    }
}

/// `MSET key value [key value …]`
pub(super) struct MSet;

impl Command for MSet {
    const SPEC: Spec = Spec {
        summary: "Sets the strings of keys, all at once.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to set.",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::range(
            1,
            KeyFlags::OW.and(KeyFlags::UPDATE),
            -1,
            2,
            0,
        )],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        args: &[Arg::block("data", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        ..Spec::named("mset")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse_pairs(args, "mset")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        for (key, value) in pairs(cmd) {
            set(key, value, Expiry::Never, ctx);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `MSETNX key value [key value …]`
pub(super) struct MSetNx;

impl Command for MSetNx {
    const SPEC: Spec = Spec {
        summary: "Sets the strings of keys, if none of them exists.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to set.",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::range(
            1,
            KeyFlags::OW.and(KeyFlags::INSERT),
            -1,
            2,
            0,
        )],
        args: &[Arg::block("data", &[Arg::key("key", 0), Arg::string("value")]).multiple()],
        ..Spec::named("msetnx")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse_pairs(args, "msetnx")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let free = pairs(cmd).all(|(key, _)| ctx.store.record(key).is_none());
        if free {
            for (key, value) in pairs(cmd) {
                set(key, value, Expiry::Never, ctx);
            }
        }
        ctx.reply.int(i64::from(free));
        Ok(Flow::Done)
    }
}

/// `MSETEX numkeys key value [key value …] [NX | XX] [expiration]`
pub(super) struct MSetEx;

impl Command for MSetEx {
    const SPEC: Spec = Spec {
        summary: "Sets the strings of keys under a condition, and when they expire.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(N) where N is the number of keys to set.",
        arity: Arity::AtLeast(4),
        flags: Flags::DENY_OOM.and(Flags::MOVABLE_KEYS).and(Flags::WRITE),
        keys: &[KeySpec {
            flags: KeyFlags::OW.and(KeyFlags::UPDATE),
            begin: BeginSearch::Index(1),
            find: FindKeys::KeyNum {
                count: 0,
                first: 1,
                step: 2,
            },
            notes: "",
        }],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        args: &[
            Arg::integer("numkeys"),
            Arg::block("data", &[Arg::key("key", 0), Arg::string("value")]).multiple(),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX"),
                    Arg::integer("milliseconds").token("PX"),
                    Arg::unix_time("unix-time-seconds").token("EXAT"),
                    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    Arg::word("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
        ],
        ..Spec::named("msetex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let count = engine::args::parse_i64(args.required()?);
        let count = count.filter(|count| (1..=i64::from(i32::MAX)).contains(count));
        let count = count.ok_or(CmdError::InvalidKeyCount)? as usize;
        if count.saturating_mul(2) > args.left() {
            return Err(CmdError::WrongKeyCount);
        }
        let mut parsed = Parsed {
            pairs: args.take(count * 2)?,
            existence: Existence::Any,
            lifetime: Lifetime::Unsaid,
        };
        while args.left() > 0 {
            if !parsed.existence.parse(args) && !parsed.lifetime.parse(args, "KEEPTTL")? {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let expiry = cmd.lifetime.expiry(ctx.now.unix(), "msetex")?;
        let met = pairs(cmd.pairs).all(|(key, _)| cmd.existence.holds(key, ctx));
        if met {
            let event = match expiry {
                Expiry::At(_) => event::EXPIRE_SET,
                Expiry::Never | Expiry::Keep => event::SET,
            };
            for (key, value) in pairs(cmd.pairs) {
                set_as(key, value, expiry, event, ctx);
            }
        }
        ctx.reply.int(i64::from(met));
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    pairs: Argv<'a>,
    existence: Existence,
    lifetime: Lifetime<'a>,
}

fn parse_pairs<'a>(args: &mut Args<'a>, name: &str) -> Result<Argv<'a>, CmdError> {
    let pairs = args.rest();
    if !pairs.len().is_multiple_of(2) {
        return Err(CmdError::Arity(name.to_owned()));
    }
    Ok(pairs)
}

fn pairs(argv: Argv<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
    argv.iter().step_by(2).zip(argv.skip(1).iter().step_by(2))
}
