//! `XPENDING`, the summary and the list.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Reply;
use stream::{Group as StreamGroup, IdleAtLeast, PendingEntry, StreamId};

use super::claiming::idle_ms;
use super::group_key::GroupKey;
use super::interval::{parse_end, parse_start};
use super::write_id;

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub(super) struct XPending;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    list: Option<List<'a>>,
}

/// Which pending entries to list.
struct List<'a> {
    idle_ms_min: u64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl Command for XPending {
    const SPEC: Spec = Spec {
        summary: "Tells what is pending in a group: a summary, or a list of entries.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        history: &[("6.2.0", "IDLE and exclusive bounds were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::block(
                "filters",
                &[
                    Arg::integer("min-idle-time")
                        .token("IDLE")
                        .since("6.2.0")
                        .optional(),
                    Arg::string("start"),
                    Arg::string("end"),
                    Arg::integer("count"),
                    Arg::string("consumer").optional(),
                ],
            )
            .optional(),
        ],
        ..Spec::named("xpending")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let place = GroupKey::parse(args)?;
        let list = match args.left() {
            0 => None,
            3..=6 => Some(parse_list(args)?),
            _ => return Err(CmdError::Syntax),
        };
        Ok(Parsed { place, list })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let (_, group) = cmd.place.required(&mut ctx.store)?;
        match cmd.list {
            None => write_summary(group, ctx.reply),
            Some(list) => write_list(group, &list, now_ms, ctx.reply),
        }
        Ok(Flow::Done)
    }
}

fn parse_list<'a>(args: &mut Args<'a>) -> Result<List<'a>, CmdError> {
    let mut idle_ms_min = 0;
    if args.keyword("IDLE") {
        if args.left() < 4 {
            return Err(CmdError::Syntax);
        }
        idle_ms_min = args.integer()?.max(0) as u64;
    }
    let (start, end) = (args.required()?, args.required()?);
    let count = usize::try_from(args.integer()?.max(0)).unwrap_or(usize::MAX);
    let list = List {
        idle_ms_min,
        start: parse_start(start)?,
        end: parse_end(end)?,
        count,
        consumer: args.next(),
    };
    // Redis takes as many arguments as IDLE would need, and skips those that are too many.
    args.rest();
    Ok(list)
}

fn write_summary(group: &StreamGroup, reply: &mut Reply) {
    reply.array(4);
    reply.count(group.pending_count());
    let Some((first, last)) = group.pending_bounds() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, first);
    write_id(reply, last);
    let start = reply.mark();
    let consumers = group.consumers().map(|(_, consumer)| consumer);
    let busy = consumers.filter(|consumer| consumer.pending_count() > 0);
    let len = reply.each(busy, |reply, consumer| {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_count());
    });
    reply.array_since(start, len);
}

fn write_list(group: &StreamGroup, list: &List<'_>, now_ms: u64, reply: &mut Reply) {
    let start = reply.mark();
    let List {
        start: from, end, ..
    } = *list;
    let idle = IdleAtLeast {
        idle_ms_min: list.idle_ms_min,
        now_ms,
    };
    let len = match list.consumer {
        Some(name) => {
            let consumer = group.consumer(name).into_iter();
            let entries = consumer.flat_map(|consumer| group.pending_range_of(consumer, from, end));
            let entries = entries
                .filter(|entry| idle_ms(entry, now_ms).is_none_or(|idle| idle >= list.idle_ms_min));
            write_entries(group, entries.take(list.count), now_ms, reply)
        }
        None if list.idle_ms_min == 0 => {
            let entries = group.pending_range(from, end).take(list.count);
            write_entries(group, entries, now_ms, reply)
        }
        None => {
            let entries = group.pending_range_idle(from, end, idle).take(list.count);
            write_entries(group, entries, now_ms, reply)
        }
    };
    reply.array_since(start, len);
}

fn write_entries(
    group: &StreamGroup,
    entries: impl Iterator<Item = PendingEntry>,
    now_ms: u64,
    reply: &mut Reply,
) -> usize {
    reply.each(entries, |reply, entry| {
        let holder = entry.holder;
        let holder = holder.and_then(|holder| group.consumer_at(holder.consumer));
        reply.array(4);
        write_id(reply, entry.id);
        reply.bulk(holder.map_or(b"", |consumer| consumer.name()));
        reply.int(shown_idle_ms(group, &entry, now_ms));
        reply.int(entry.delivery_count as i64);
    })
}

/// For how long an entry has been idle. Of one that was given back it is the rest of its pause, as
/// a number below 0; -1 if it has none.
fn shown_idle_ms(group: &StreamGroup, entry: &PendingEntry, now_ms: u64) -> i64 {
    if let Some(idle_ms) = idle_ms(entry, now_ms) {
        return idle_ms as i64;
    }
    let until_ms = group.paused_until_ms(entry.id).unwrap_or(0);
    -(until_ms.saturating_sub(now_ms).max(1) as i64)
}
