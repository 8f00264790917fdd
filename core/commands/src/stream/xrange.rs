//! `XRANGE` and `XREVRANGE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Stream, StreamId};

use super::interval::{parse_end, parse_start};

/// `XRANGE key start end [COUNT count]`
pub(super) struct XRange;

/// `XREVRANGE key end start [COUNT count]`
pub(super) struct XRevRange;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    start: StreamId,
    end: StreamId,
    count: Option<i64>,
}

#[derive(Clone, Copy)]
enum Direction {
    Upwards,
    Downwards,
}

impl Command for XRange {
    const SPEC: Spec = Spec {
        summary: "Reads the entries in a range of IDs, lowest first.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[("6.2.0", "Exclusive bounds were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("start"),
            Arg::string("end"),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("xrange")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let start = parse_start(args.required()?)?;
        let end = parse_end(args.required()?)?;
        finish(key, start, end, args)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(&cmd, Direction::Upwards, ctx)
    }
}

impl Command for XRevRange {
    const SPEC: Spec = Spec {
        summary: "Reads the entries in a range of IDs, highest first.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[("6.2.0", "Exclusive bounds were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("end"),
            Arg::string("start"),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("xrevrange")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let (end, start) = (args.required()?, args.required()?);
        let start = parse_start(start)?;
        finish(key, start, parse_end(end)?, args)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(&cmd, Direction::Downwards, ctx)
    }
}

fn finish<'a>(
    key: &'a [u8],
    start: StreamId,
    end: StreamId,
    args: &mut Args<'a>,
) -> Result<Parsed<'a>, CmdError> {
    let mut count = None;
    while args.keyword_with_value("COUNT") {
        count = Some(args.integer()?);
    }
    Ok(Parsed {
        key,
        start,
        end,
        count,
    })
}

fn answer(cmd: &Parsed<'_>, direction: Direction, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let Some(stream) = ctx.store.get::<Stream>(cmd.key)? else {
        ctx.reply.array(0);
        return Ok(Flow::Done);
    };
    let limit = match cmd.count {
        None => u64::MAX,
        Some(count) if count > 0 => count as u64,
        Some(_) => {
            ctx.reply.null_array();
            return Ok(Flow::Done);
        }
    };
    let entries = stream.entries();
    let array = ctx.reply.begin_array(limit.min(entries.len()) as usize);
    let len = match direction {
        Direction::Upwards => {
            let unpacked = &mut ctx.server.unpacked;
            entries.write_range(cmd.start, cmd.end, limit, unpacked, ctx.reply)
        }
        Direction::Downwards => entries.write_range_reverse(cmd.start, cmd.end, limit, ctx.reply),
    };
    ctx.reply.end_array(array, len as usize);
    Ok(Flow::Done)
}
