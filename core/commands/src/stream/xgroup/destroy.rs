//! `XGROUP DESTROY`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::Stream;

use crate::stream::group_key::GroupKey;

/// `XGROUP DESTROY key group`
pub(super) struct Destroy;

impl PlainCommand for Destroy {
    const SPEC: Spec = Spec {
        summary: "Removes a group with its consumers and pending entries.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        frees: true,
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[Arg::key("key", 0), Arg::string("group")],
        ..Spec::named("destroy")
    };

    type Args<'a> = GroupKey<'a>;

    fn execute(place: GroupKey<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let GroupKey { key, group } = place;
        if ctx.store.get::<Stream>(key)?.is_none() {
            return Err(CmdError::Stream(StreamError::GroupNeedsKey));
        }
        let destroy = Effect::on_group(key, group, GroupChange::Destroy);
        let destroyed = ctx.store.apply(&destroy, event::XGROUP_DESTROY);
        ctx.reply.int(destroyed as i64);
        Ok(Flow::Done)
    }
}
