//! `XREAD`.

use engine::args::Args;
use engine::clients::waiting::{Interest, TimeoutReply, Wait};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::table::{Arg, Arity, BeginSearch, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, ArgvBuf};
use smallvec::SmallVec;
use stream::{ID_TEXT_BYTES_MAX, Stream, StreamId};

use super::read_budget::{ReadBounds, ReadBudget};
use super::stream_parts::{end_streams, write_stream, write_streams};
use crate::timeout::Timeout;

/// `XREAD [COUNT n] [MAXCOUNT n] [MAXSIZE bytes] [BLOCK ms] STREAMS key [key …] id [id …]`
pub(super) struct XRead;

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    bounds: ReadBounds,
    block: Option<Timeout>,
    keys: Argv<'a>,
    ids: Argv<'a>,
}

impl Command for XRead {
    const SPEC: Spec = Spec {
        summary: "Reads the entries of streams above given IDs, or waits for new ones.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY
            .and(Flags::BLOCKING)
            .and(Flags::MOVABLE_KEYS),
        keys: &[KeySpec {
            flags: KeyFlags::RO.and(KeyFlags::ACCESS).and(KeyFlags::INCOMPLETE),
            begin: BeginSearch::Keyword("STREAMS", 1),
            find: FindKeys::Range {
                last: -1,
                step: 1,
                limit: 2,
            },
            notes: "",
        }],
        history: &[("8.10.0", "MAXCOUNT and MAXSIZE were added.")],
        args: &[
            Arg::integer("count").token("COUNT").optional(),
            Arg::integer("maxcount")
                .token("MAXCOUNT")
                .since("8.10.0")
                .optional(),
            Arg::integer("maxsize")
                .token("MAXSIZE")
                .since("8.10.0")
                .optional(),
            Arg::integer("milliseconds").token("BLOCK").optional(),
            Arg::block(
                "streams",
                &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()],
            )
            .token("STREAMS"),
        ],
        ..Spec::named("xread")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let whole = args.whole();
        let mut bounds = ReadBounds::default();
        let mut block = None;
        let streams = loop {
            if bounds.parse(args)? {
                continue;
            } else if args.keyword_with_value("BLOCK") {
                block = Some(Timeout::parse(args)?);
            } else if args.keyword_with_value("STREAMS") {
                break args.rest();
            } else {
                return Err(refused_option(args));
            }
        };
        if streams.len() % 2 != 0 {
            return Err(CmdError::Stream(StreamError::UnbalancedStreams {
                command: "xread",
                special: ", '+', or '$'",
            }));
        }
        bounds.check()?;
        let key_count = streams.len() / 2;
        Ok(Parsed {
            whole,
            bounds,
            block,
            keys: streams.take(key_count),
            ids: streams.skip(key_count),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let mut after = Vec::with_capacity(cmd.keys.len());
        for (key, id) in cmd.keys.iter().zip(cmd.ids.iter()) {
            after.push(read_id(ctx.store.get::<Stream>(key)?, id)?);
        }
        let outer = ctx.reply.mark();
        let mut budget = cmd.bounds.begin();
        let is_single = cmd.keys.len() == 1;
        if is_single {
            write_streams(ctx.reply, 1);
        }
        let mut served = 0;
        for (key, after) in cmd.keys.iter().zip(&after) {
            if ctx.reply.is_full() {
                break;
            }
            served += usize::from(serve(key, *after, &mut budget, ctx)?);
        }
        if served > 0 {
            if !is_single {
                end_streams(ctx.reply, outer, served);
            }
            return Ok(Flow::Done);
        }
        ctx.reply.rollback(outer);
        if let Some(block) = cmd.block
            && matches!(ctx.mode, Mode::Alone | Mode::Resumed)
        {
            ctx.wait = Some(Wait {
                database: ctx.store.database,
                keys: cmd.keys.iter().map(|key| ctx.store.key(key)).collect(),
                deadline: block.deadline(ctx.now.mono),
                retry_at: None,
                request: cmd.with_ids(&after),
                on_timeout: TimeoutReply::NullArray,
                interest: Interest::EntriesAbove(after),
                ticket: Default::default(),
            });
            return Ok(Flow::Block);
        }
        ctx.reply.null_array();
        Ok(Flow::Done)
    }
}

/// An argument on its way to a request that is kept, without a place on the heap of its own if it
/// is short.
type Argument = SmallVec<[u8; ID_TEXT_BYTES_MAX]>;

impl Parsed<'_> {
    /// The request with IDs that mean the same later. `+` stays: it waits for what will be the last
    /// entry.
    fn with_ids(&self, ids: &[StreamId]) -> ArgvBuf {
        let fixed = self.whole.len() - self.ids.len();
        let fixed = self.whole.take(fixed).iter().map(Argument::from_slice);
        let text = |(said, id): (&[u8], &StreamId)| match said {
            b"+" => Argument::from_slice(said),
            _ => Argument::from_slice(id.write_text(&mut [0; ID_TEXT_BYTES_MAX])),
        };
        fixed.chain(self.ids.iter().zip(ids).map(text)).collect()
    }
}

/// The ID above which a stream is read.
fn read_id(stream: Option<&Stream>, text: &[u8]) -> Result<StreamId, CmdError> {
    let last_id = stream.map_or(StreamId::MIN, Stream::last_id);
    match text {
        b"$" => Ok(last_id),
        b"+" => {
            let last = stream.and_then(|stream| stream.entries().last());
            // With no entry to begin at, anything that comes is news: the key may be replaced by
            // one with lower IDs.
            let before = last.and_then(|entry| entry.id().previous());
            Ok(before.unwrap_or(StreamId::MIN))
        }
        b">" => Err(CmdError::Stream(StreamError::GroupIdInRead)),
        id => Ok(StreamId::parse(id, 0)?),
    }
}

/// Writes what one stream has above an ID. Returns whether it has anything.
fn serve(
    key: &[u8],
    after: StreamId,
    budget: &mut ReadBudget,
    ctx: &mut Ctx<'_>,
) -> Result<bool, CmdError> {
    let Some(from) = after.next().filter(|_| !budget.is_spent()) else {
        return Ok(false);
    };
    let Some(stream) = ctx.store.get::<Stream>(key)? else {
        return Ok(false);
    };
    if after >= stream.last_id() {
        return Ok(false);
    }
    let head = ctx.reply.mark();
    write_stream(ctx.reply, key);
    budget.open(ctx.reply, head);
    let entries = stream.entries();
    let array = budget.begin_array(ctx.reply, entries);
    let (unpacked, reply) = (&mut ctx.server.unpacked, &mut *ctx.reply);
    let len = if budget.counts_only() {
        let limit = budget.stream_limit();
        let len = entries.write_range(from, StreamId::MAX, limit, unpacked, reply);
        budget.note(len);
        len
    } else {
        match budget.admitted(entries.range(from, StreamId::MAX)) {
            0 => 0,
            limit => entries.write_range(from, StreamId::MAX, limit, unpacked, reply),
        }
    };
    if len == 0 {
        budget.take_back(reply, head);
        return Ok(false);
    }
    budget.end_array(reply, array, len as usize);
    Ok(true)
}

fn refused_option(args: &mut Args<'_>) -> CmdError {
    for option in ["GROUP", "NOACK", "CLAIM"] {
        if args.keyword(option) {
            return CmdError::Stream(StreamError::GroupOptionInRead(option));
        }
    }
    CmdError::Syntax
}
