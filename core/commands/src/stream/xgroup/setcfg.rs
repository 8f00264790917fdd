//! `XGROUP SETCFG`: what a group does by itself.

use engine::REDIS_VERSION;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

use super::required_group;
use crate::stream::group_key::GroupKey;
use crate::stream::settings_option::NamedSettings;

/// `XGROUP SETCFG key group setting value [setting value …]`
pub(super) struct SetCfg;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    /// Read only once it is known that there is such a group.
    options: Argv<'a>,
}

impl Command for SetCfg {
    const SPEC: Spec = Spec {
        summary: "Sets what a group does by itself.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE,
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[Arg::key("key", 0), Arg::string("group")],
        compat: Compat::Own,
        ..Spec::named("setcfg")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            place: GroupKey::parse(args)?,
            options: args.rest(),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (_, group) = required_group(cmd.place, &mut ctx.store)?;
        let mut named = NamedSettings::new(group.settings().to_settings());
        let args = &mut Args::new(cmd.options, 0);
        while args.left() > 0 {
            if !named.parse(args)? {
                return Err(CmdError::Syntax);
            }
        }
        let settings = named
            .finish()
            .ok_or(CmdError::Stream(StreamError::NothingToConfigure))?;
        let change = GroupChange::SetSettings {
            settings: &settings,
        };
        let change = Effect::on_group(cmd.place.key, cmd.place.group, change);
        ctx.store.apply(&change, event::UNHEARD);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
