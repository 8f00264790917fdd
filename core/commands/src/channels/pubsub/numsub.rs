//! `PUBSUB NUMSUB` and `PUBSUB SHARDNUMSUB`.

use engine::clients::channels::Listening;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Group, Spec};
use resp::Argv;

use super::super::subscribe::renamed;
use super::channels::FLAGS;

/// `PUBSUB NUMSUB [channel …]`
pub(super) struct NumSub;

impl PlainCommand for NumSub {
    const SPEC: Spec = Spec {
        summary: "Tells how many clients listen to channels.",
        since: "2.8.0",
        group: Group::PubSub,
        complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
        arity: Arity::AtLeast(2),
        flags: FLAGS,
        args: &[Arg::string("channel").optional().multiple()],
        ..Spec::named("numsub")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        count(Listening::Channel, names, ctx)
    }
}

/// `PUBSUB SHARDNUMSUB [shardchannel …]`
pub(super) struct ShardNumSub;

impl PlainCommand for ShardNumSub {
    const SPEC: Spec = Spec {
        summary: "Tells how many clients listen to shard channels.",
        since: "7.0.0",
        complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
        args: &[Arg::string("shardchannel").optional().multiple()],
        ..renamed(NumSub::SPEC, "shardnumsub")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        count(Listening::Shard, names, ctx)
    }
}

fn count(what: Listening, names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let channels = &ctx.server.channels;
    ctx.reply.array(2 * names.len());
    ctx.reply.each(names.iter(), |reply, name| {
        reply.bulk(name);
        reply.count(channels.listeners(what, name));
    });
    Ok(Flow::Done)
}
