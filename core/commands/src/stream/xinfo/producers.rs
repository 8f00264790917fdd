//! `XINFO PRODUCERS`.

use engine::REDIS_VERSION;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Reply;
use stream::{Counted, Idempotence, ProducerReport, Stream};

use super::{count, write_id};
use crate::cursor::{COUNT_DEFAULT, parse_count, parse_cursor, reply_step};

/// `XINFO PRODUCERS key [PID pid] [COUNT count] [CURSOR cursor]`
pub(super) struct Producers;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    /// The only one to show.
    producer: Option<&'a [u8]>,
    count: usize,
    cursor: u64,
}

impl Command for Producers {
    const SPEC: Spec = Spec {
        summary: "Lists what a stream knows of its producers, a few at a time.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1) for every call. O(N) for a complete iteration, N being the number of producers.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::string("pid").token("PID").optional(),
            Arg::integer("count").token("COUNT").optional(),
            Arg::integer("cursor").token("CURSOR").optional(),
        ],
        compat: Compat::Own,
        ..Spec::named("producers")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            key: args.required()?,
            producer: None,
            count: COUNT_DEFAULT,
            cursor: 0,
        };
        while args.left() > 0 {
            if args.keyword_with_value("PID") {
                parsed.producer = Some(args.required()?);
            } else if args.keyword_with_value("COUNT") {
                parsed.count = parse_count(args)?;
            } else if args.keyword_with_value("CURSOR") {
                let cursor = parse_cursor(args.required()?);
                parsed.cursor = cursor.ok_or(CmdError::InvalidCursor)?;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let stream = ctx.store.get::<Stream>(cmd.key)?;
        let idempotence = stream.ok_or(CmdError::NoSuchKey)?.idempotence();
        let step = (cmd.cursor, cmd.count);
        reply_step(ctx.reply, step, |reply, from, looks, len| {
            let show = |report: &ProducerReport<'_>| {
                write_producer(reply, idempotence, report);
                *len += 1;
            };
            match cmd.producer {
                None => idempotence.scan_producers(from, looks, now_ms, show),
                Some(name) => {
                    idempotence.producer(name, now_ms).iter().for_each(show);
                    0
                }
            }
        });
        Ok(Flow::Done)
    }
}

fn write_producer(reply: &mut Reply, idempotence: &Idempotence, report: &ProducerReport<'_>) {
    let maxsize = idempotence.retention().maxsize as usize;
    reply.map(7 + Counted::ALL.len());
    reply.bulk(b"pid");
    reply.bulk(report.name);
    count(reply, "epoch", report.epoch);
    count(reply, "iids-tracked", report.iids as u64);
    count(reply, "window-used", (report.iids * 100 / maxsize) as u64);
    reply.bulk(b"last-iid");
    match &report.last {
        Some(last) => reply.bulk(&last.iid),
        None => reply.null(),
    }
    reply.bulk(b"last-entry");
    match &report.last {
        Some(last) => write_id(reply, last.id),
        None => reply.null(),
    }
    reply.bulk(b"active-time");
    match &report.last {
        Some(last) => reply.int(i64::try_from(last.added_at_ms).unwrap_or(i64::MAX)),
        None => reply.null(),
    }
    for what in Counted::ALL {
        reply.bulk(what.name().as_bytes());
        match &report.tally {
            Some(tally) => reply.int(tally.get(what) as i64),
            None => reply.null(),
        }
    }
}
