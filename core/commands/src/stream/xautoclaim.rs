//! `XAUTOCLAIM`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::store::effect::Claim;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Activity, DELIVERY_COUNT_MAX, StreamId};

use super::claiming::{Claimed, Show, Shown, idle_ms, note_caller};
use super::group_key::GroupKey;
use super::interval::parse_start;
use super::write_id;

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub(super) struct XAutoClaim;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    consumer: &'a [u8],
    idle_ms_min: u64,
    start: StreamId,
    count: u64,
    show: Show,
}

/// How many pending entries a call looks at, for each that it may claim.
const LOOKS_PER_CLAIM: u64 = 10;

/// Entries claimed unless the call says how many.
const COUNT_DEFAULT: u64 = 100;

/// The greatest `COUNT`: Redis keeps 16 bytes for each.
const COUNT_MAX: i64 = i64::MAX / 16;

impl Command for XAutoClaim {
    const SPEC: Spec = Spec {
        summary: "Gives entries that have been pending for long enough to a consumer, starting at an ID.",
        since: "6.2.0",
        group: Group::Stream,
        complexity: "O(1) if COUNT is small.",
        arity: Arity::AtLeast(6),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        tips: &["nondeterministic_output"],
        history: &[(
            "7.0.0",
            "The reply has a third element: the entries that are gone.",
        )],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::string("min-idle-time"),
            Arg::string("start"),
            Arg::integer("count").token("COUNT").optional(),
            Arg::word("justid", "JUSTID").optional(),
        ],
        ..Spec::named("xautoclaim")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let place = GroupKey::parse(args)?;
        let consumer = args.required()?;
        let idle_ms_min = parse_i64(args.required()?);
        let idle_ms_min =
            idle_ms_min.ok_or(CmdError::Stream(StreamError::InvalidMinIdle("XAUTOCLAIM")))?;
        let mut parsed = Parsed {
            place,
            consumer,
            idle_ms_min: idle_ms_min.max(0) as u64,
            start: parse_start(args.required()?)?,
            count: COUNT_DEFAULT,
            show: Show::Entry,
        };
        while args.left() > 0 {
            if args.keyword_with_value("COUNT") {
                let count = parse_i64(args.required()?);
                let count = count.filter(|count| (1..=COUNT_MAX).contains(count));
                parsed.count = count.ok_or(CmdError::CountNotPositive)? as u64;
            } else if args.keyword("JUSTID") {
                parsed.show = Show::Id;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let at = ctx.now.unix();
        let (stream, group) = cmd.place.required(ctx.store.reading())?;
        let mut decided = Claimed::new(cmd.place, cmd.show);
        let mut left = cmd.count;
        let mut looks = cmd.count.saturating_mul(LOOKS_PER_CLAIM);
        let mut pending = group.pending_range(cmd.start, StreamId::MAX);
        let start = ctx.reply.mark();
        let entries = stream.entries();
        let mut look = entries.look_up();
        let mut shown = Shown::new(cmd.show, ctx.reply);
        while left > 0
            && looks > 0
            && let Some(entry) = pending.next()
        {
            looks -= 1;
            if !look.contains(entry.id) {
                decided.gone.push(entry.id);
                left -= 1;
                continue;
            }
            if idle_ms(&entry, now_ms).is_some_and(|idle| idle < cmd.idle_ms_min) {
                continue;
            }
            left -= 1;
            let count = entry.delivery_count;
            let is_delivery = cmd.show == Show::Entry;
            if is_delivery && decided.dead.take_spent(group, entry.id, count, &mut look) {
                continue;
            }
            let claim = Claim {
                id: entry.id,
                delivered_at: at,
                delivery_count: match cmd.show {
                    Show::Entry => count.saturating_add(1).min(DELIVERY_COUNT_MAX),
                    Show::Id => count,
                },
            };
            shown.add(claim.id, entries, &mut look);
            decided.claims.push(claim);
        }
        shown.finish(entries);
        let cursor = pending.next().map_or(StreamId::MIN, |entry| entry.id);
        drop(pending);
        let active = Activity::Active;
        decided.apply(cmd.place, cmd.consumer, active, &mut ctx.store)?;
        let activity = match decided.claims.len() {
            0 => Activity::Seen,
            _ => Activity::Active,
        };
        note_caller(cmd.place, cmd.consumer, activity, &mut ctx.store)?;
        // The cursor is known last but comes first.
        ctx.reply.array_since(start, decided.claims.len());
        let end = ctx.reply.mark();
        ctx.reply.array(3);
        write_id(ctx.reply, cursor);
        ctx.reply.swap(start, end);
        ctx.reply.array(decided.gone.len());
        ctx.reply.each(decided.gone, write_id);
        Ok(Flow::Done)
    }
}
