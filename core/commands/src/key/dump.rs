//! `DUMP` and `RESTORE`.

use engine::UnixMs;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `DUMP key`
pub(super) struct Dump;

impl PlainCommand for Dump {
    const SPEC: Spec = Spec {
        summary: "Answers the value of a key as bytes that RESTORE takes.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[Arg::key("key", 0)],
        ..Spec::named("dump")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Some(payload) = ctx.store.prepared_payload() {
            ctx.reply.bulk_owned(payload);
            return Ok(Flow::Done);
        }
        let Some(record) = ctx.store.record(key) else {
            ctx.reply.null();
            return Ok(Flow::Done);
        };
        let bytes = record.value().weight();
        if ctx.waits_for_payload(key, bytes) {
            return Ok(Flow::Block);
        }
        if let Some(record) = ctx.store.peek(key) {
            ctx.reply.bulk_owned(rdb::dump(record.value()));
        }
        Ok(Flow::Done)
    }
}

/// What the rows that restore have in common.
pub(crate) const RESTORING: Spec = Spec {
    complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
    arity: Arity::AtLeast(4),
    flags: Flags::DENY_OOM.and(Flags::WRITE),
    keys: &[KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE))],
    history: &[
        ("3.0.0", "REPLACE was added."),
        ("5.0.0", "ABSTTL was added."),
        ("5.0.0", "IDLETIME and FREQ were added."),
    ],
    args: &[
        Arg::key("key", 0),
        Arg::integer("ttl"),
        Arg::string("serialized-value"),
        Arg::word("replace", "REPLACE").since("3.0.0").optional(),
        Arg::word("absttl", "ABSTTL").since("5.0.0").optional(),
        Arg::integer("seconds")
            .token("IDLETIME")
            .since("5.0.0")
            .optional(),
        Arg::integer("frequency")
            .token("FREQ")
            .since("5.0.0")
            .optional(),
    ],
    ..Spec::named("")
};

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(crate) struct Restore;

impl Command for Restore {
    const SPEC: Spec = Spec {
        name: "restore",
        summary: "Makes a key from what DUMP answered.",
        since: "2.6.0",
        group: Group::Generic,
        categories: Categories::DANGEROUS,
        ..RESTORING
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            key: args.required()?,
            ttl: args.required()?,
            payload: args.required()?,
            replace: false,
            absolute: false,
            idle_s: None,
            frequency: None,
        };
        while args.left() > 0 {
            if args.keyword("REPLACE") {
                parsed.replace = true;
            } else if args.keyword("ABSTTL") {
                parsed.absolute = true;
            } else if parsed.frequency.is_none() && args.keyword_with_value("IDLETIME") {
                let idle_s = u32::try_from(args.integer()?.max(-1));
                parsed.idle_s = Some(idle_s.map_err(|_| CmdError::InvalidIdleTime)?);
            } else if parsed.idle_s.is_none() && args.keyword_with_value("FREQ") {
                let frequency = u8::try_from(args.integer()?);
                parsed.frequency = Some(frequency.map_err(|_| CmdError::InvalidFrequency)?);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { key, payload, .. } = cmd;
        if !cmd.replace && ctx.store.peek(key).is_some() {
            return Err(CmdError::BusyKey);
        }
        let ttl = engine::args::parse_i64(cmd.ttl).ok_or(CmdError::NotAnInteger)?;
        if ttl < 0 {
            return Err(CmdError::InvalidTtl);
        }
        let at = match ttl {
            0 => None,
            at if cmd.absolute => Some(UnixMs(at)),
            ttl => Some(ctx.now.unix().plus(ttl)),
        };
        let value = rdb::restore(payload, &ctx.store.payload_context())?;
        if at.is_some_and(|at| at <= ctx.now.unix()) && ctx.mode != Mode::Replay {
            if ctx.store.peek(key).is_some() {
                ctx.store
                    .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
            }
        } else {
            let restore = KeyChange::Restore { value, payload, at };
            ctx.store.apply(&Effect::on(key, restore), event::RESTORE);
            ctx.store.record_retention(key);
            if let Some(idle_s) = cmd.idle_s {
                ctx.store.set_idle_s(key, idle_s);
            }
            if let Some(frequency) = cmd.frequency {
                ctx.store.set_frequency(key, frequency);
            }
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

pub(crate) struct Parsed<'a> {
    key: &'a [u8],
    ttl: &'a [u8],
    payload: &'a [u8],
    replace: bool,
    absolute: bool,
    idle_s: Option<u32>,
    frequency: Option<u8>,
}
