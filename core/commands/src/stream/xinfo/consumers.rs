//! `XINFO CONSUMERS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::Stream;

use super::count;
use crate::stream::group_key::GroupKey;

/// `XINFO CONSUMERS key group`
pub(super) struct Consumers;

impl PlainCommand for Consumers {
    const SPEC: Spec = Spec {
        summary: "Lists the consumers of a group.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        history: &[("7.2.0", "The field inactive was added.")],
        args: &[Arg::key("key", 0), Arg::string("group")],
        ..Spec::named("consumers")
    };

    type Args<'a> = GroupKey<'a>;

    fn execute(place: GroupKey<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let stream = ctx
            .store
            .get::<Stream>(place.key)?
            .ok_or(CmdError::NoSuchKey)?;
        let group = stream.groups().find(place.group);
        let group = group.ok_or_else(|| place.group_missing())?;
        let reply = &mut *ctx.reply;
        reply.array(group.consumer_count());
        reply.each(group.consumers(), |reply, (_, consumer)| {
            reply.map(4);
            reply.bulk(b"name");
            reply.bulk(consumer.name());
            count(reply, "pending", consumer.pending_count() as u64);
            count(reply, "idle", now_ms.saturating_sub(consumer.seen_ms()));
            reply.bulk(b"inactive");
            let inactive_ms = consumer.active_ms().map(|at| now_ms.saturating_sub(at));
            reply.int(inactive_ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX)));
        });
        Ok(Flow::Done)
    }
}
