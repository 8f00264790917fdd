//! `XGROUP GETCFG`: what a group was told.

use engine::REDIS_VERSION;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{GroupSettings, Settings};

use super::required_group;
use crate::stream::group_key::GroupKey;
use crate::stream::settings_option::write_settings;

/// `XGROUP GETCFG key group`
pub(super) struct GetCfg;

impl PlainCommand for GetCfg {
    const SPEC: Spec = Spec {
        summary: "Tells what a group was told with XGROUP SETCFG.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::string("group")],
        compat: Compat::Own,
        ..Spec::named("getcfg")
    };
    type Args<'a> = GroupKey<'a>;

    fn execute(place: GroupKey<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (_, group) = required_group(place, &mut ctx.store)?;
        ctx.reply.map(GroupSettings::ROWS.len());
        write_settings(ctx.reply, &group.settings().to_settings());
        Ok(Flow::Done)
    }
}
