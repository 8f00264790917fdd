//! `XGROUP DELCONSUMER`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

use super::required_group;
use crate::stream::group_key::GroupKey;

/// `XGROUP DELCONSUMER key group consumer`
pub(super) struct DelConsumer;

impl PlainCommand for DelConsumer {
    const SPEC: Spec = Spec {
        summary: "Removes a consumer, and tells how many pending entries went with it.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(5),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
        ],
        ..Spec::named("delconsumer")
    };

    type Args<'a> = (GroupKey<'a>, &'a [u8]);

    fn execute(
        (place, consumer): (GroupKey<'_>, &[u8]),
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let (_, group) = required_group(place, &mut ctx.store)?;
        let found = group.consumer(consumer);
        let found = found.and_then(|handle| group.consumer_at(handle));
        let pending = found.map_or(0, |consumer| consumer.pending_count());
        let delete = GroupChange::DeleteConsumer { consumer };
        let delete = Effect::on_group(place.key, place.group, delete);
        ctx.store.apply(&delete, event::XGROUP_DELCONSUMER);
        ctx.reply.count(pending);
        Ok(Flow::Done)
    }
}
