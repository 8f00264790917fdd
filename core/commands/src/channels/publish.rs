//! `PUBLISH` and `SPUBLISH`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, BeginSearch, ChannelSpec, ChannelUse, FindKeys, Flags, Group};
use engine::table::{KeyFlags, KeySpec, Spec};

use super::subscribe::renamed;

/// `PUBLISH channel message`
pub(super) struct Publish;

impl PlainCommand for Publish {
    const SPEC: Spec = Spec {
        summary: "Sends a message to all who listen to a channel.",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
        arity: Arity::Exactly(3),
        flags: Flags::PUBSUB
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST),
        channels: &[ChannelSpec {
            used: ChannelUse::Publish,
            are_patterns: false,
            begin: BeginSearch::Index(1),
            find: FindKeys::Range {
                last: 0,
                step: 1,
                limit: 0,
            },
        }],
        args: &[Arg::string("channel"), Arg::string("message")],
        ..Spec::named("publish")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((channel, message): (&[u8], &[u8]), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.channels.are_full() {
            return Err(CmdError::TooMuchPublished);
        }
        ctx.store.publish_events(&mut ctx.server.channels);
        let receivers = ctx.server.channels.publish(channel, message);
        ctx.reply.count(receivers);
        Ok(Flow::Done)
    }
}

/// `SPUBLISH shardchannel message`
pub(super) struct SPublish;

impl PlainCommand for SPublish {
    const SPEC: Spec = Spec {
        summary: "Sends a message to all who listen to a shard channel.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
        keys: &[KeySpec::at(1, KeyFlags::NOT_KEY)],
        args: &[Arg::string("shardchannel"), Arg::string("message")],
        ..renamed(Publish::SPEC, "spublish")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((channel, message): (&[u8], &[u8]), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.channels.are_full() {
            return Err(CmdError::TooMuchPublished);
        }
        ctx.store.publish_events(&mut ctx.server.channels);
        let receivers = ctx.server.channels.publish_to_shard(channel, message);
        ctx.reply.count(receivers);
        Ok(Flow::Done)
    }
}
