//! `XREADGROUP`: reads as a consumer of a group. What happens with one stream is in `serve`, where
//! the streams come from if only a pattern is said in `pattern`.

mod idle;
mod look;
mod pattern;
mod serve;

use engine::Mono;
use engine::args::{Args, parse_i64};
use engine::clients::pattern_reads::WithoutGroup;
use engine::clients::waiting::{Interest, TimeoutReply, Wait};
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::table::{
    Arg, Arity, BeginSearch, Compat, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Argv;

use self::pattern::{Call, Matching};
use self::serve::{Delivery, Request, Served};
use super::group_key::GroupKey;
use super::read_budget::ReadBounds;
use super::stream_parts::{end_streams, write_stream, write_streams};
use crate::timeout::Timeout;

/// `XREADGROUP GROUP group consumer [options] (STREAMS key [key …] id [id …] | PATTERN pattern >)`
pub(super) struct XReadGroup;

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    group: &'a [u8],
    delivery: Delivery<'a>,
    bounds: ReadBounds,
    block: Option<Timeout>,
    keys: Argv<'a>,
    ids: Argv<'a>,
    /// Which streams are read if none is named.
    matching: Option<Matching<'a>>,
}

impl Command for XReadGroup {
    const SPEC: Spec = Spec {
        summary: "Reads entries as a consumer of a group, new ones or those that it has pending.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.",
        arity: Arity::AtLeast(7),
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        keys: &[KeySpec {
            flags: KeyFlags::RO.and(KeyFlags::ACCESS).and(KeyFlags::INCOMPLETE),
            begin: BeginSearch::Keyword("STREAMS", 4),
            find: FindKeys::Range {
                last: -1,
                step: 1,
                limit: 2,
            },
            notes: "",
        }],
        history: &[
            ("8.4.0", "CLAIM was added."),
            ("8.10.0", "MAXCOUNT and MAXSIZE were added."),
        ],
        args: &[
            Arg::block(
                "group-block",
                &[Arg::string("group"), Arg::string("consumer")],
            )
            .token("GROUP"),
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
            Arg::integer("min-idle-time")
                .token("CLAIM")
                .since("8.4.0")
                .optional(),
            Arg::word("noack", "NOACK").optional(),
            Arg::word("makegroup", "MAKEGROUP").optional(),
            Arg::one_of(
                "source",
                &[
                    Arg::block(
                        "streams",
                        &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()],
                    )
                    .token("STREAMS"),
                    Arg::block(
                        "matching",
                        &[Arg::pattern("pattern"), Arg::word("new-entries", ">")],
                    )
                    .token("PATTERN"),
                ],
            ),
        ],
        compat: Compat::Differs(
            "PATTERN and MAKEGROUP are weir's own. Of those that wait, who has waited longest is served first. In Redis, who waits for several streams goes to the back of all when something happens to one. With CLAIM, entries that are idle long enough and were deleted from the stream are pending no longer; in Redis they stay so for ever. What a group has read never counts more than what was added.",
        ),
        ..Spec::named("xreadgroup")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        parse(args)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Some(matching) = cmd.matching {
            let call = Call {
                request: cmd.whole,
                matching,
                group: cmd.group,
                delivery: cmd.delivery,
                bounds: cmd.bounds,
                block: cmd.block,
            };
            return pattern::execute(&call, ctx);
        }
        // Nothing is delivered from any stream if one of them is wrong. A single one is checked as
        // it is served.
        if cmd.keys.len() > 1 {
            for (place, id) in cmd.streams() {
                Request::new(place, id, &mut ctx.store)?;
            }
        }
        let outer = ctx.reply.mark();
        let mut budget = cmd.bounds.begin();
        let mut served_count = 0;
        let mut retry_at: Option<Mono> = None;
        let mut delivery = cmd.delivery;
        for (place, id) in cmd.streams() {
            // From the first stream that is read by an ID, CLAIM no longer counts, as in Redis.
            if id != b">" {
                delivery.claim_idle_ms_min = None;
            }
            // All of them are served, but of what is too much for the client nothing is kept.
            if cmd.keys.len() > 1 {
                ctx.reply.is_full();
            }
            let head = ctx.reply.mark();
            if cmd.keys.len() == 1 {
                write_streams(ctx.reply, 1);
            }
            write_stream(ctx.reply, place.key);
            budget.open(ctx.reply, head);
            match serve::serve(place, id, &delivery, &mut budget, ctx)? {
                Served::Something => served_count += 1,
                Served::Nothing { retry_in_ms } => {
                    budget.take_back(ctx.reply, head);
                    let at = retry_in_ms.map(|ms| ctx.now.mono.plus(ms));
                    retry_at = [retry_at, at].into_iter().flatten().min();
                }
            }
        }
        if served_count > 0 {
            if cmd.keys.len() > 1 {
                end_streams(ctx.reply, outer, served_count);
            }
            return Ok(Flow::Done);
        }
        if let Some(block) = cmd.block
            && matches!(ctx.mode, Mode::Alone | Mode::Resumed)
            && cmd.ids.iter().all(|id| id == b">")
        {
            ctx.wait = Some(Wait {
                database: ctx.store.database,
                keys: cmd.keys.iter().map(|key| ctx.store.key(key)).collect(),
                deadline: block.deadline(ctx.now.mono),
                retry_at,
                request: cmd.whole.to_owned(),
                on_timeout: TimeoutReply::NullArray,
                interest: Interest::Group {
                    group: cmd.group.to_vec(),
                    consumer: cmd.delivery.consumer.to_vec(),
                    claims: retry_at.is_some(),
                },
                ticket: Default::default(),
            });
            return Ok(Flow::Block);
        }
        ctx.reply.null_array();
        Ok(Flow::Done)
    }
}

impl<'a> Parsed<'a> {
    fn streams(&self) -> impl Iterator<Item = (GroupKey<'a>, &'a [u8])> + use<'a> {
        let group = self.group;
        let places = self.keys.iter().map(move |key| GroupKey { key, group });
        places.zip(self.ids.iter())
    }
}

fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
    let whole = args.whole();
    let mut names = None;
    let mut bounds = ReadBounds::default();
    let mut block = None;
    let mut claim_idle_ms_min = None;
    let mut acknowledgement = stream::Acknowledgement::Awaited;
    let mut without_group = WithoutGroup::PassedOver;
    let mut pattern = None;
    let streams = loop {
        if args.left() >= 3 && args.keyword("GROUP") {
            names = Some((args.required()?, args.required()?));
        } else if bounds.parse(args)? {
            continue;
        } else if args.keyword_with_value("BLOCK") {
            block = Some(Timeout::parse(args)?);
        } else if args.keyword_with_value("CLAIM") {
            let idle = parse_i64(args.required()?)
                .ok_or(CmdError::Stream(StreamError::IdleNotAnInteger))?;
            claim_idle_ms_min =
                Some(u64::try_from(idle).map_err(|_| CmdError::Stream(StreamError::IdleNegative))?);
        } else if args.keyword("NOACK") {
            acknowledgement = stream::Acknowledgement::Waived;
        } else if args.keyword_with_value("STREAMS") {
            break args.rest();
        } else if args.keyword("MAKEGROUP") {
            without_group = WithoutGroup::GetsIt;
        } else if args.left() == 3 && args.keyword("PATTERN") {
            pattern = Some((args.required()?, args.required()?));
            break args.rest();
        } else {
            return Err(CmdError::Syntax);
        }
    };
    if streams.len() % 2 != 0 {
        return Err(CmdError::Stream(StreamError::UnbalancedStreams {
            command: "xreadgroup",
            special: " or '>'",
        }));
    }
    let (group, consumer) = names.ok_or(CmdError::Stream(StreamError::GroupMissing))?;
    bounds.check()?;
    let matching = match (pattern, without_group) {
        (Some((pattern, id)), _) => Some(Matching::parse(pattern, id, group, without_group)?),
        (None, WithoutGroup::PassedOver) => None,
        (None, WithoutGroup::GetsIt) => return Err(CmdError::Syntax),
    };
    let key_count = streams.len() / 2;
    Ok(Parsed {
        whole,
        group,
        delivery: Delivery {
            consumer,
            acknowledgement,
            claim_idle_ms_min,
        },
        bounds,
        block,
        keys: streams.take(key_count),
        ids: streams.skip(key_count),
        matching,
    })
}
