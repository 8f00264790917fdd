//! `XGROUP CREATECONSUMER`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

use super::required_group;
use crate::stream::group_key::GroupKey;

/// `XGROUP CREATECONSUMER key group consumer`
pub(super) struct CreateConsumer;

impl PlainCommand for CreateConsumer {
    const SPEC: Spec = Spec {
        summary: "Makes a consumer of a group, unless there is one of that name.",
        since: "6.2.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::INSERT))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("consumer"),
        ],
        ..Spec::named("createconsumer")
    };

    type Args<'a> = (GroupKey<'a>, &'a [u8]);

    fn execute(
        (place, consumer): (GroupKey<'_>, &[u8]),
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        required_group(place, &mut ctx.store)?;
        let create = GroupChange::CreateConsumer { consumer };
        let create = Effect::on_group(place.key, place.group, create);
        let created = ctx.store.apply(&create, event::XGROUP_CREATECONSUMER);
        ctx.reply.int(created as i64);
        Ok(Flow::Done)
    }
}
