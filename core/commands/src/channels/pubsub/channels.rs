//! `PUBSUB CHANNELS` and `PUBSUB SHARDCHANNELS`.

use engine::args::Args;
use engine::clients::channels::Listening;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::glob::{Letters, matches};
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::super::subscribe::renamed;

/// `PUBSUB CHANNELS [pattern]`
pub(super) struct Channels;

impl Command for Channels {
    const SPEC: Spec = Spec {
        summary: "Lists the channels that clients listen to.",
        since: "2.8.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
        arity: Arity::AtLeast(2),
        flags: FLAGS,
        args: &[Arg::pattern("pattern").optional()],
        ..Spec::named("channels")
    };
    type Parsed<'a> = Option<&'a [u8]>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Option<&'a [u8]>, CmdError> {
        parse(args)
    }

    fn execute(pattern: Option<&[u8]>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        list(Listening::Channel, pattern, ctx)
    }
}

/// `PUBSUB SHARDCHANNELS [pattern]`
pub(super) struct ShardChannels;

impl Command for ShardChannels {
    const SPEC: Spec = Spec {
        summary: "Lists the shard channels that clients listen to.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
        ..renamed(Channels::SPEC, "shardchannels")
    };
    type Parsed<'a> = Option<&'a [u8]>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Option<&'a [u8]>, CmdError> {
        parse(args)
    }

    fn execute(pattern: Option<&[u8]>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        list(Listening::Shard, pattern, ctx)
    }
}

/// What the subcommands that look at channels are.
pub(super) const FLAGS: Flags = Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE);

fn parse<'a>(args: &mut Args<'a>) -> Result<Option<&'a [u8]>, CmdError> {
    let pattern = args.next();
    if args.left() > 0 {
        let name = args.whole().get(1).unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(CmdError::PubSubArguments(name));
    }
    Ok(pattern)
}

fn list(what: Listening, pattern: Option<&[u8]>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let names = ctx.server.channels.names(what);
    let wanted =
        names.filter(|name| pattern.is_none_or(|pattern| matches(pattern, name, Letters::Exact)));
    let start = ctx.reply.begin();
    let count = ctx.reply.each(wanted, |reply, name| reply.bulk(name));
    ctx.reply.array_since(start, count);
    Ok(Flow::Done)
}
