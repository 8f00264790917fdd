//! `XGROUP SETCFG`: what a group does by itself.

use engine::REDIS_VERSION;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, StreamError};
use engine::store::apply::Store;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{
    Arg, Arity, BeginSearch, Compat, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Argv;
use stream::{GroupSettings, Stream};

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

/// The stream that `DEADLETTER` names: whoever sets it must be allowed to write there, as whoever
/// reads from the group need not be.
const DEAD_LETTER_KEY: KeySpec = KeySpec {
    flags: KeyFlags::RW.and(KeyFlags::INSERT),
    begin: BeginSearch::Keyword("DEADLETTER", 4),
    find: FindKeys::Range {
        last: 0,
        step: 1,
        limit: 0,
    },
    notes: "",
};

impl Command for SetCfg {
    const SPEC: Spec = Spec {
        summary: "Sets what a group does by itself.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE,
        keys: &[
            KeySpec::at(2, KeyFlags::RW.and(KeyFlags::UPDATE)),
            DEAD_LETTER_KEY,
        ],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::integer("milliseconds").token("CLAIM").optional(),
            Arg::integer("count").token("MAXDELIVERIES").optional(),
            Arg::key("key2", 1).token("DEADLETTER").optional(),
            Arg::integer("count").token("MAXPENDING").optional(),
            Arg::block("pause", &[Arg::integer("first-ms"), Arg::integer("max-ms")])
                .token("BACKOFF")
                .optional(),
            Arg::integer("percent").token("JITTER").optional(),
            Arg::integer("milliseconds")
                .token("IDLECONSUMERS")
                .optional(),
        ],
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
        if ctx.mode != Mode::Replay {
            check_dead_letter(&settings, cmd.place.key, &mut ctx.store)?;
        }
        let change = GroupChange::SetSettings {
            settings: &settings,
        };
        let change = Effect::on_group(cmd.place.key, cmd.place.group, change);
        ctx.store.apply(&change, event::GROUP_TOLD);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// Refuses what would leave an entry without a place.
fn check_dead_letter(
    settings: &GroupSettings,
    key: &[u8],
    store: &mut Store<'_>,
) -> Result<(), CmdError> {
    let dead_letter_key = settings.dead_letter_key.as_slice();
    if dead_letter_key.is_empty() {
        return match settings.deliveries_max {
            0 => Ok(()),
            _ => Err(CmdError::Stream(StreamError::DeliveriesWithoutDeadLetter)),
        };
    }
    if dead_letter_key == key {
        return Err(CmdError::Stream(StreamError::DeadLetterToItself));
    }
    store.get::<Stream>(dead_letter_key).map(|_| ())
}
