//! `XCLAIM`.

use engine::UnixMs;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::store::effect::{Claim, Effect, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Activity, DELIVERY_COUNT_MAX, Entries, Group as StreamGroup, Lookup, StreamId};

use super::claiming::{Claimed, Show, Shown, idle_ms, note_caller};
use super::group_key::GroupKey;
use super::ids_block::comes_again;

/// `XCLAIM key group consumer min-idle-time id [id …] [options]`
pub(super) struct XClaim;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    consumer: &'a [u8],
    /// Errors in here come after that of a missing group.
    options: Result<Options, CmdError>,
}

struct Options {
    idle_ms_min: u64,
    ids: Vec<StreamId>,
    delivered: Delivered,
    delivery_count: Option<u64>,
    unknown: Unknown,
    show: Show,
    last_id: Option<StreamId>,
}

/// From when on the claimed entries count as idle.
#[derive(Clone, Copy)]
enum Delivered {
    Now,
    Ago(i64),
    At(i64),
}

/// What becomes of entries that are not pending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    PassedOver,
    Forced,
}

impl Command for XClaim {
    const SPEC: Spec = Spec {
        summary: "Gives pending entries of a group to another consumer.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
        arity: Arity::AtLeast(6),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
            Arg::string("min-idle-time"),
            Arg::string("id").multiple(),
            Arg::integer("ms").token("IDLE").optional(),
            Arg::unix_time("unix-time-milliseconds")
                .token("TIME")
                .optional(),
            Arg::integer("count").token("RETRYCOUNT").optional(),
            Arg::word("force", "FORCE").optional(),
            Arg::word("justid", "JUSTID").optional(),
            Arg::string("lastid").token("LASTID").optional(),
        ],
        compat: Compat::Differs(
            "The delivery count stays at 9223372036854775807 instead of turning negative. With LASTID the group's entries-read is counted, so that its lag is right; in Redis it stays as it was.",
        ),
        ..Spec::named("xclaim")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let place = GroupKey::parse(args)?;
        let consumer = args.required()?;
        let options = parse_options(args);
        args.rest();
        Ok(Parsed {
            place,
            consumer,
            options,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let GroupKey { key, group } = cmd.place;
        let (stream, found) = cmd.place.required(ctx.store.reading())?;
        let options = cmd.options?;
        if let Some(last_id) = options.last_id
            && last_id > found.last_delivered()
        {
            let entries_read = stream.count_up_to(last_id);
            let set_id = GroupChange::SetId {
                id: last_id,
                entries_read,
            };
            let set_id = Effect::on_group(key, group, set_id);
            ctx.store.apply(&set_id, event::PENDING);
        }
        let at = options.delivered_at(ctx);
        let active = options.activity(ctx.mode);
        let start = ctx.reply.mark();
        let mut claimed = 0;
        // Claims leave entries as they are. Where IDs jump about, one search goes through all runs.
        let entries = match options.ids.is_sorted_by(|a, b| a < b) {
            true => None,
            false => Some(cmd.place.required(&mut ctx.store)?.0.entries().clone()),
        };
        let mut shared = entries.as_ref().map(|entries| (entries, entries.look_up()));
        let mut shown = Shown::new(options.show, ctx.reply);
        // An ID that comes again is claimed again, as the claim before left it.
        let runs: Vec<&[StreamId]> = match comes_again(&options.ids) {
            false => vec![&options.ids],
            true => options.ids.chunk_by(|a, b| a < b).collect(),
        };
        for run in runs {
            let (stream, found) = cmd.place.required(&mut ctx.store)?;
            let now_ms = ctx.now.stream_ms();
            let view = View {
                group: found,
                at,
                now_ms,
            };
            let mut decided = Claimed::new(cmd.place, options.show);
            match &mut shared {
                Some((entries, look)) => {
                    options.claim(run, (entries, look), view, &mut shown, &mut decided);
                }
                None => {
                    let entries = stream.entries();
                    let mut look = entries.look_up();
                    options.claim(run, (entries, &mut look), view, &mut shown, &mut decided);
                }
            }
            claimed += decided.claims.len();
            decided.apply(cmd.place, cmd.consumer, active, &mut ctx.store)?;
        }
        shown.finish(cmd.place.required(&mut ctx.store)?.0.entries());
        let activity = match claimed {
            0 => Activity::Seen,
            _ => active,
        };
        note_caller(cmd.place, cmd.consumer, activity, &mut ctx.store)?;
        ctx.reply.array_since(start, claimed);
        Ok(Flow::Done)
    }
}

/// A group as it is before anything is claimed, from when on claimed entries count as idle, and the
/// present.
#[derive(Clone, Copy)]
struct View<'t> {
    group: &'t StreamGroup,
    at: UnixMs,
    now_ms: u64,
}

impl Options {
    /// Returns whether a consumer is active by a claim. A journal says with `LASTID 0-0` that it
    /// read its own entries again, by which it is not.
    fn activity(&self, mode: Mode) -> Activity {
        if mode == Mode::Replay && self.last_id == Some(StreamId::MIN) {
            Activity::Seen
        } else {
            Activity::Active
        }
    }

    /// A time that is not in the past is now, except in a journal, whose clock may be missing.
    fn delivered_at(&self, ctx: &Ctx<'_>) -> UnixMs {
        let now = ctx.now.unix();
        let at = match self.delivered {
            Delivered::Now => now.0,
            Delivered::Ago(idle_ms) => now.0.saturating_sub(idle_ms),
            Delivered::At(at) => at,
        };
        if at < 0 || at > now.0 && ctx.mode != Mode::Replay {
            return now;
        }
        UnixMs(at)
    }

    /// Decides about IDs of which each comes once, and writes what is claimed.
    fn claim(
        &self,
        run: &[StreamId],
        (entries, look): (&Entries, &mut Lookup<'_>),
        view: View<'_>,
        shown: &mut Shown<'_>,
        decided: &mut Claimed<'_>,
    ) {
        for &id in run {
            if let Some(claim) = self.decide(look, view, id, decided) {
                shown.add(claim.id, entries, look);
                decided.claims.push(claim);
            }
        }
    }

    fn decide(
        &self,
        look: &mut Lookup<'_>,
        view: View<'_>,
        id: StreamId,
        decided: &mut Claimed<'_>,
    ) -> Option<Claim> {
        let View { group, at, now_ms } = view;
        let pending = group.pending(id);
        if !look.contains(id) {
            decided.gone.extend(pending.map(|entry| entry.id));
            return None;
        }
        let count = match pending {
            Some(entry) if idle_ms(&entry, now_ms).is_none_or(|idle| idle >= self.idle_ms_min) => {
                entry.delivery_count
            }
            None if self.unknown == Unknown::Forced => 1,
            Some(_) | None => return None,
        };
        let delivery_count = self.delivery_count.unwrap_or(match self.show {
            Show::Entry => count.saturating_add(1).min(DELIVERY_COUNT_MAX),
            Show::Id => count,
        });
        let is_delivery = pending.is_some() && self.show == Show::Entry;
        // With RETRYCOUNT the client says itself how often the entry was delivered.
        if is_delivery
            && self.delivery_count.is_none()
            && decided.dead.take_spent(group, id, count, look)
        {
            return None;
        }
        Some(Claim {
            id,
            delivered_at: at,
            delivery_count,
        })
    }
}

fn parse_options(args: &mut Args<'_>) -> Result<Options, CmdError> {
    let idle_ms_min = parse_i64(args.required()?)
        .ok_or(CmdError::Stream(StreamError::InvalidMinIdle("XCLAIM")))?;
    let mut options = Options {
        idle_ms_min: idle_ms_min.max(0) as u64,
        ids: Vec::new(),
        delivered: Delivered::Now,
        delivery_count: None,
        unknown: Unknown::PassedOver,
        show: Show::Entry,
        last_id: None,
    };
    while let Some(Ok(id)) = args.peek().map(|text| StreamId::parse(text, 0)) {
        options.ids.push(id);
        args.next();
    }
    let number = |args: &mut Args<'_>, name| {
        parse_i64(args.required()?).ok_or(CmdError::Stream(StreamError::InvalidClaimOption(name)))
    };
    while let Some(option) = args.peek() {
        if args.keyword("FORCE") {
            options.unknown = Unknown::Forced;
        } else if args.keyword("JUSTID") {
            options.show = Show::Id;
        } else if args.keyword_with_value("IDLE") {
            options.delivered = Delivered::Ago(number(args, "IDLE")?.max(0));
        } else if args.keyword_with_value("TIME") {
            options.delivered = Delivered::At(number(args, "TIME")?);
        } else if args.keyword_with_value("RETRYCOUNT") {
            options.delivery_count = u64::try_from(number(args, "RETRYCOUNT")?).ok();
        } else if args.keyword_with_value("LASTID") {
            options.last_id = Some(StreamId::parse(args.required()?, 0)?);
        } else {
            let option = &option[..option.len().min(ERROR_ECHO_BYTES_MAX)];
            let option = String::from_utf8_lossy(option).into_owned();
            return Err(CmdError::Stream(StreamError::UnknownClaimOption(option)));
        }
    }
    Ok(options)
}
