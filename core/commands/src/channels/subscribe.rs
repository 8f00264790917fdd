//! `SUBSCRIBE`, `PSUBSCRIBE` and `SSUBSCRIBE`.

use engine::clients::channels::Listening;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, ChannelSpec, ChannelUse, Compat, Flags, Group, KeyFlags, KeySpec};
use engine::table::{BeginSearch, FindKeys, Spec};
use resp::Argv;

use super::Confirmations;

/// `SUBSCRIBE channel …`
pub(super) struct Subscribe;

impl PlainCommand for Subscribe {
    const SPEC: Spec = Spec {
        summary: "Listens to channels.",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of channels to subscribe to.",
        arity: Arity::AtLeast(2),
        flags: FLAGS,
        channels: &[LISTENED],
        args: &[Arg::string("channel").multiple()],
        compat: IN_TRANSACTION,
        ..Spec::named("subscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        subscribe("subscribe", Listening::Channel, names, ctx)
    }
}

/// `PSUBSCRIBE pattern …`
pub(super) struct PSubscribe;

impl PlainCommand for PSubscribe {
    const SPEC: Spec = Spec {
        summary: "Listens to all channels whose names match patterns.",
        complexity: "O(N) where N is the number of patterns to subscribe to.",
        channels: &[ChannelSpec {
            are_patterns: true,
            ..LISTENED
        }],
        args: &[Arg::pattern("pattern").multiple()],
        ..renamed(Subscribe::SPEC, "psubscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        subscribe("psubscribe", Listening::Pattern, names, ctx)
    }
}

/// `SSUBSCRIBE shardchannel …`
pub(super) struct SSubscribe;

impl PlainCommand for SSubscribe {
    const SPEC: Spec = Spec {
        summary: "Listens to shard channels.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of shard channels to subscribe to.",
        keys: &[KeySpec::range(1, KeyFlags::NOT_KEY, -1, 1, 0)],
        args: &[Arg::string("shardchannel").multiple()],
        ..renamed(Subscribe::SPEC, "ssubscribe")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        subscribe("ssubscribe", Listening::Shard, names, ctx)
    }
}

const FLAGS: Flags = Flags::DENY_OOM
    .and(Flags::PUBSUB)
    .and(Flags::NO_SCRIPT)
    .and(Flags::LOADING)
    .and(Flags::STALE)
    .and(Flags::WHILE_SUBSCRIBED);

/// All arguments are channels that the client begins to listen to.
const LISTENED: ChannelSpec = ChannelSpec {
    used: ChannelUse::Subscribe,
    are_patterns: false,
    begin: BeginSearch::Index(1),
    find: FindKeys::Range {
        last: -1,
        step: 1,
        limit: 0,
    },
};

/// Why the reply to a transaction is not that of Redis.
pub(super) const IN_TRANSACTION: Compat = Compat::Differs(
    "Within a transaction, the first confirmation is the element of the reply, an array in RESP3 \
     too, and the others follow the reply; in Redis all of them stand in the array, which then has \
     more elements than it says.",
);

/// The row of a command that differs little.
pub(super) const fn renamed(spec: Spec, name: &'static str) -> Spec {
    Spec { name, ..spec }
}

fn subscribe(
    word: &'static str,
    what: Listening,
    names: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    ctx.store.publish_events(&mut ctx.server.channels);
    let channels = &ctx.server.channels;
    let bytes = names.iter().map(<[u8]>::len).sum();
    channels.check_room(ctx.session, what, names.len(), bytes)?;
    let mut confirmations = Confirmations::begin(word, what);
    for name in names.iter() {
        let key = ctx.store.key(name);
        ctx.server.channels.subscribe(ctx.session, what, key);
        confirmations.add(Some(name), ctx);
    }
    Ok(Flow::Done)
}
