//! `XACK`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

use super::flow_control::acknowledged;
use super::group_key::GroupKey;
use super::ids_block::parse_ids;

/// `XACK key group id [id …]`
pub(super) struct XAck;

impl PlainCommand for XAck {
    const SPEC: Spec = Spec {
        summary: "Acknowledges entries of a group, and tells how many were pending.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1) for each message ID processed.",
        arity: Arity::AtLeast(4),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::string("id").multiple(),
        ],
        ..Spec::named("xack")
    };

    type Args<'a> = (GroupKey<'a>, Argv<'a>);

    fn execute(
        (place, ids): (GroupKey<'_>, Argv<'_>),
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        // IDs are looked at only where there is a group to have them pending.
        let count = match place.find(ctx.store.reading())? {
            None => 0,
            Some((_, group)) => {
                let event = acknowledged(group);
                let ids = &parse_ids(ids)?;
                let acknowledge = GroupChange::Acknowledge { ids };
                let acknowledge = Effect::on_group(place.key, place.group, acknowledge);
                ctx.store.apply(&acknowledge, event)
            }
        };
        ctx.reply.int(count as i64);
        Ok(Flow::Done)
    }
}
