//! `GET`, `GETDEL`, `GETEX`, `STRLEN` and `DIGEST`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::condition::digest;
use super::expiration::Lifetime;
use super::reply::reply_string;

/// `GET key`
pub(super) struct Get;

impl PlainCommand for Get {
    const SPEC: Spec = Spec {
        summary: "Answers the string of a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0)],
        ..Spec::named("get")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_string(ctx.store.get::<StringValue>(key)?, ctx.reply);
        Ok(Flow::Done)
    }
}

/// `GETDEL key`
pub(super) struct GetDel;

impl PlainCommand for GetDel {
    const SPEC: Spec = Spec {
        summary: "Deletes a key, and answers the string that it had.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
        )],
        args: &[Arg::key("key", 0)],
        ..Spec::named("getdel")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let found = ctx.store.reading().get::<StringValue>(key)?;
        reply_string(found, ctx.reply);
        if found.is_some() {
            ctx.store
                .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
        }
        Ok(Flow::Done)
    }
}

/// `GETEX key [expiration | PERSIST]`
pub(super) struct GetEx;

impl Command for GetEx {
    const SPEC: Spec = Spec {
        summary: "Answers the string of a key, and sets when it expires.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE)).noted("")],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "expiration",
                &[
                    Arg::integer("seconds").token("EX"),
                    Arg::integer("milliseconds").token("PX"),
                    Arg::unix_time("unix-time-seconds").token("EXAT"),
                    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    Arg::word("persist", "PERSIST"),
                ],
            )
            .optional(),
        ],
        ..Spec::named("getex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            key: args.required()?,
            lifetime: Lifetime::Unsaid,
        };
        while args.left() > 0 {
            if !parsed.lifetime.parse(args, "PERSIST")? {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let key = cmd.key;
        let Some(string) = ctx.store.reading().get::<StringValue>(key)? else {
            ctx.reply.null();
            return Ok(Flow::Done);
        };
        let now = ctx.now.unix();
        let at = match cmd.lifetime {
            Lifetime::Until(expiration) => Some(expiration.resolve(now, "getex")?),
            Lifetime::Unsaid | Lifetime::Word => None,
        };
        reply_string(Some(string), ctx.reply);
        match at {
            Some(at) if at <= now && ctx.mode != Mode::Replay => {
                ctx.store
                    .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
            }
            Some(at) => {
                let expire = Effect::on(key, KeyChange::ExpireAt { at });
                ctx.store.apply(&expire, event::EXPIRE);
            }
            None if matches!(cmd.lifetime, Lifetime::Word) => {
                let expires = ctx
                    .store
                    .peek(key)
                    .is_some_and(|r| r.expires_at().is_some());
                if expires {
                    let persist = Effect::on(key, KeyChange::Persist);
                    ctx.store.apply(&persist, event::PERSIST);
                }
            }
            None => {}
        }
        Ok(Flow::Done)
    }
}

/// `STRLEN key`
pub(super) struct StrLen;

impl PlainCommand for StrLen {
    const SPEC: Spec = Spec {
        summary: "Tells how many bytes the string of a key has.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        args: &[Arg::key("key", 0)],
        ..Spec::named("strlen")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let len = ctx
            .store
            .get::<StringValue>(key)?
            .map_or(0, |string| string.len());
        ctx.reply.count(len);
        Ok(Flow::Done)
    }
}

/// `DIGEST key`
pub(super) struct Digest;

impl PlainCommand for Digest {
    const SPEC: Spec = Spec {
        summary: "Answers the digest of a string, for IFDEQ and IFDNE.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(N) where N is the length of the string value.",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0)],
        ..Spec::named("digest")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.store.get::<StringValue>(key)? {
            Some(string) => ctx.reply.bulk(digest(string).as_bytes()),
            None => ctx.reply.null(),
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    lifetime: Lifetime<'a>,
}
