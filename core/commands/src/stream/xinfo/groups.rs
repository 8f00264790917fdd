//! `XINFO GROUPS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::Stream;

use super::{count, id, progress};

/// `XINFO GROUPS key`
pub(super) struct Groups;

impl PlainCommand for Groups {
    const SPEC: Spec = Spec {
        summary: "Lists the groups of a stream.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[("7.0.0", "The fields entries-read and lag were added.")],
        args: &[Arg::key("key", 0)],
        compat: Compat::Differs(
            "The lag is always a number: where Redis gives null, entries are counted, and it is never below 0.",
        ),
        ..Spec::named("groups")
    };

    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx.store.get::<Stream>(key)?.ok_or(CmdError::NoSuchKey)?;
        let reply = &mut *ctx.reply;
        reply.array(stream.groups().len());
        reply.each(stream.groups().iter(), |reply, (name, group)| {
            reply.map(6);
            reply.bulk(b"name");
            reply.bulk(name);
            count(reply, "consumers", group.consumer_count() as u64);
            count(reply, "pending", group.pending_count() as u64);
            id(reply, "last-delivered-id", group.last_delivered());
            progress(reply, stream, group);
        });
        Ok(Flow::Done)
    }
}
