//! `XINFO STREAM`, short and `FULL`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Reply;
use stream::{
    Configured, Consumer, ConsumerHandle, Counted, Group as StreamGroup, Settings, Stream,
    StreamId, Tally, Unpacked,
};

use super::{count, id, progress};
use crate::stream::settings_option::write_settings;
use crate::stream::write_id;
use crate::stream::xgroup::usage;

/// `XINFO STREAM key [FULL [COUNT count]]`
pub(super) struct Info;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    /// Errors in here come after those of the key.
    detail: Result<Detail, CmdError>,
}

/// How much to show.
#[derive(Clone, Copy)]
enum Detail {
    Summary,
    /// Everything, but only this many entries and pending entries of each list.
    Full(usize),
}

/// Entries and pending entries that `FULL` shows by default.
const COUNT_DEFAULT: usize = 10;

impl Command for Info {
    const SPEC: Spec = Spec {
        summary: "Tells what is known of a stream.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[
            ("6.0.0", "FULL was added."),
            (
                "7.0.0",
                "The fields max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read and lag were added.",
            ),
            (
                "7.2.0",
                "The field active-time was added; seen-time moves with each call.",
            ),
            ("8.6.0", "The fields on idempotent IDs were added."),
            ("8.8.0", "The field nacked-count was added."),
        ],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "full-block",
                &[
                    Arg::word("full", "FULL"),
                    Arg::integer("count").token("COUNT").optional(),
                ],
            )
            .optional(),
        ],
        compat: Compat::Differs(
            "The lag is always a number: where Redis gives null, entries are counted, and it is never below 0.",
        ),
        ..Spec::named("stream")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let detail = parse_detail(args);
        args.rest();
        Ok(Parsed { key, detail })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let stream = ctx
            .store
            .get::<Stream>(cmd.key)?
            .ok_or(CmdError::NoSuchKey)?;
        match cmd.detail? {
            Detail::Summary => {
                ctx.reply
                    .map(COMMON_FIELDS + 3 + usize::from(stream.delayed().is_some()));
                write_common(ctx.reply, stream, now_ms);
                write_summary(ctx.reply, stream);
                write_delayed(ctx.reply, stream);
            }
            Detail::Full(limit) => {
                let is_configured = !stream.settings().is_empty();
                let counted = stream.idempotence().counted();
                let own = usize::from(is_configured)
                    + usize::from(counted.is_some())
                    + usize::from(stream.delayed().is_some());
                ctx.reply.map(COMMON_FIELDS + 2 + own);
                write_common(ctx.reply, stream, now_ms);
                write_full(ctx.reply, stream, limit);
                write_configured(ctx.reply, stream.settings());
                if let Some(tally) = counted {
                    write_counted(ctx.reply, tally);
                }
                write_delayed(ctx.reply, stream);
            }
        }
        Ok(Flow::Done)
    }
}

fn parse_detail(args: &mut Args<'_>) -> Result<Detail, CmdError> {
    let whole = args.whole();
    let wrong = || usage(whole, "XINFO");
    match args.left() {
        0 => Ok(Detail::Summary),
        1 if args.keyword("FULL") => Ok(Detail::Full(COUNT_DEFAULT)),
        3 if args.keyword("FULL") && args.keyword("COUNT") => {
            let count = parse_i64(args.required()?).ok_or(CmdError::NotAnInteger)?;
            Ok(Detail::Full(match usize::try_from(count) {
                Ok(0) => usize::MAX,
                Ok(count) => count,
                Err(_) => COUNT_DEFAULT,
            }))
        }
        _ => Err(wrong()),
    }
}

const COMMON_FIELDS: usize = 13;

fn write_common(reply: &mut Reply, stream: &Stream, now_ms: u64) {
    let idempotence = stream.idempotence();
    let retention = idempotence.retention();
    let tracked = idempotence.tracked(now_ms);
    let chunks = stream.entries().chunk_count() as u64;
    count(reply, "length", stream.len());
    // How entries are stored is each server's own affair; here it is the chunks.
    count(reply, "radix-tree-keys", chunks);
    count(reply, "radix-tree-nodes", chunks + 1);
    id(reply, "last-generated-id", stream.last_id());
    id(reply, "max-deleted-entry-id", stream.max_deleted_id());
    count(reply, "entries-added", stream.entries_added());
    id(reply, "recorded-first-entry-id", stream.first_id());
    count(reply, "idmp-duration", u64::from(retention.duration_s));
    count(reply, "idmp-maxsize", u64::from(retention.maxsize));
    count(reply, "pids-tracked", tracked.producers as u64);
    count(reply, "iids-tracked", tracked.iids as u64);
    count(reply, "iids-added", idempotence.iids_added());
    count(reply, "iids-duplicates", idempotence.iids_duplicates());
}

fn write_summary(reply: &mut Reply, stream: &Stream) {
    count(reply, "groups", stream.groups().len() as u64);
    let ends = [
        ("first-entry", stream.entries().first()),
        ("last-entry", stream.entries().last()),
    ];
    for (name, entry) in ends {
        reply.bulk(name.as_bytes());
        match entry {
            Some(entry) => entry.write(reply),
            None => reply.null(),
        }
    }
}

fn write_full(reply: &mut Reply, stream: &Stream, limit: usize) {
    let entries = stream.entries();
    reply.bulk(b"entries");
    reply.array(
        usize::try_from(entries.len())
            .unwrap_or(usize::MAX)
            .min(limit),
    );
    let unpacked = &mut Unpacked::default();
    entries.write_range(StreamId::MIN, StreamId::MAX, limit as u64, unpacked, reply);
    reply.bulk(b"groups");
    reply.array(stream.groups().len());
    reply.each(stream.groups().iter(), |reply, (name, group)| {
        write_group(reply, stream, name, group, limit);
    });
}

fn write_group(reply: &mut Reply, stream: &Stream, name: &[u8], group: &StreamGroup, limit: usize) {
    // Servers before 8.8 have no such field, and their tools compare the whole reply.
    let given_back = group.given_back_count();
    let is_configured = !group.settings().is_empty();
    reply.map(7 + usize::from(given_back > 0) + usize::from(is_configured));
    reply.bulk(b"name");
    reply.bulk(name);
    id(reply, "last-delivered-id", group.last_delivered());
    progress(reply, stream, group);
    count(reply, "pel-count", group.pending_count() as u64);
    if given_back > 0 {
        count(reply, "nacked-count", given_back as u64);
    }
    reply.bulk(b"pending");
    reply.array(group.pending_count().min(limit));
    let pending = group.pending_range(StreamId::MIN, StreamId::MAX);
    reply.each(pending.take(limit), |reply, entry| {
        let holder = entry.holder;
        let consumer = holder.and_then(|holder| group.consumer_at(holder.consumer));
        reply.array(4);
        write_id(reply, entry.id);
        reply.bulk(consumer.map_or(b"", Consumer::name));
        // Of an entry that was given back, the end of its pause.
        let at_ms = match holder {
            Some(holder) => holder.delivered_ms,
            None => group.paused_until_ms(entry.id).unwrap_or(0),
        };
        reply.int(at_ms as i64);
        reply.int(entry.delivery_count as i64);
    });
    reply.bulk(b"consumers");
    reply.array(group.consumer_count());
    reply.each(group.consumers(), |reply, (handle, consumer)| {
        write_consumer(reply, group, handle, consumer, limit);
    });
    write_configured(reply, group.settings());
}

/// Writes the settings, if there are any that are not as by default: Redis has no such field.
fn write_configured<S: Settings>(reply: &mut Reply, configured: &Configured<S>) {
    if let Some(settings) = configured.get() {
        reply.bulk(b"settings");
        reply.map(S::ROWS.len());
        write_settings(reply, settings);
    }
}

/// Writes how many entries wait, if any ever did: Redis has no such field.
fn write_delayed(reply: &mut Reply, stream: &Stream) {
    if let Some(delayed) = stream.delayed() {
        count(reply, "delayed", delayed.len() as u64);
    }
}

/// Writes what happened to the appends of producers. Redis has no such field.
fn write_counted(reply: &mut Reply, tally: &Tally) {
    reply.bulk(b"idmp-stats");
    reply.map(Counted::ALL.len());
    for what in Counted::ALL {
        count(reply, what.name(), tally.get(what));
    }
}

fn write_consumer(
    reply: &mut Reply,
    group: &StreamGroup,
    handle: ConsumerHandle,
    consumer: &Consumer,
    limit: usize,
) {
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(consumer.name());
    count(reply, "seen-time", consumer.seen_ms());
    reply.bulk(b"active-time");
    reply.int(consumer.active_ms().map_or(-1, |at| at as i64));
    count(reply, "pel-count", consumer.pending_count() as u64);
    reply.bulk(b"pending");
    reply.array(consumer.pending_count().min(limit));
    let pending = group.pending_range_of(handle, StreamId::MIN, StreamId::MAX);
    reply.each(pending.take(limit), |reply, entry| {
        reply.array(3);
        write_id(reply, entry.id);
        reply.int(entry.holder.map_or(0, |holder| holder.delivered_ms) as i64);
        reply.int(entry.delivery_count as i64);
    });
}
