//! `UNSUBSCRIBE`, `PUNSUBSCRIBE` and `SUNSUBSCRIBE`.

use engine::clients::channels::Listening;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, BeginSearch, ChannelSpec, ChannelUse, FindKeys, Flags, Group};
use engine::table::{KeyFlags, KeySpec, Spec};
use resp::Argv;

use super::Confirmations;
use super::subscribe::{IN_TRANSACTION, renamed};

/// `UNSUBSCRIBE [channel …]`
pub(super) struct Unsubscribe;

impl PlainCommand for Unsubscribe {
    const SPEC: Spec = Spec {
        summary: "Stops listening to channels, or to all of them.",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of channels to unsubscribe.",
        arity: Arity::AtLeast(1),
        flags: Flags::PUBSUB
            .and(Flags::NO_SCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::WHILE_SUBSCRIBED),
        channels: &[LEFT],
        args: &[Arg::string("channel").optional().multiple()],
        compat: IN_TRANSACTION,
        ..Spec::named("unsubscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        unsubscribe("unsubscribe", Listening::Channel, names, ctx)
    }
}

/// `PUNSUBSCRIBE [pattern …]`
pub(super) struct PUnsubscribe;

impl PlainCommand for PUnsubscribe {
    const SPEC: Spec = Spec {
        summary: "Stops listening to channels whose names match patterns.",
        complexity: "O(N) where N is the number of patterns to unsubscribe.",
        channels: &[ChannelSpec {
            are_patterns: true,
            ..LEFT
        }],
        args: &[Arg::pattern("pattern").optional().multiple()],
        ..renamed(Unsubscribe::SPEC, "punsubscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        unsubscribe("punsubscribe", Listening::Pattern, names, ctx)
    }
}

/// `SUNSUBSCRIBE [shardchannel …]`
pub(super) struct SUnsubscribe;

impl PlainCommand for SUnsubscribe {
    const SPEC: Spec = Spec {
        summary: "Stops listening to shard channels, or to all of them.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of shard channels to unsubscribe.",
        keys: &[KeySpec::range(1, KeyFlags::NOT_KEY, -1, 1, 0)],
        args: &[Arg::string("shardchannel").optional().multiple()],
        ..renamed(Unsubscribe::SPEC, "sunsubscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        unsubscribe("sunsubscribe", Listening::Shard, names, ctx)
    }
}

/// All arguments are channels that the client no longer listens to.
const LEFT: ChannelSpec = ChannelSpec {
    used: ChannelUse::Unsubscribe,
    are_patterns: false,
    begin: BeginSearch::Index(1),
    find: FindKeys::Range {
        last: -1,
        step: 1,
        limit: 0,
    },
};

fn unsubscribe(
    word: &'static str,
    what: Listening,
    names: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    ctx.store.publish_events(&mut ctx.server.channels);
    let mut confirmations = Confirmations::begin(word, what);
    let mut leave = |name: &[u8], ctx: &mut Ctx<'_>| {
        ctx.server.channels.unsubscribe(ctx.session, what, name);
        confirmations.add(Some(name), ctx);
    };
    if !names.is_empty() {
        names.iter().for_each(|name| leave(name, ctx));
        return Ok(Flow::Done);
    }
    let all: Vec<_> = ctx.session.subscriptions.names(what).cloned().collect();
    all.iter().for_each(|name| leave(name, ctx));
    if all.is_empty() {
        confirmations.add(None, ctx);
    }
    Ok(Flow::Done)
}
