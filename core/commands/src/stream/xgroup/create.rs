//! `XGROUP CREATE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Stream, StreamId};

use super::{parse_entries_read, parse_position, usage};
use crate::stream::group_key::GroupKey;

/// `XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]`
pub(super) struct Create;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    position: &'a [u8],
    make_stream: bool,
    entries_read: Option<u64>,
    /// What is wrong with the options if there are too many. What is wrong with the key comes
    /// first.
    too_many: Option<CmdError>,
}

/// How many words the options may have, said twice or not.
const OPTIONS_MAX: usize = 3;

impl Command for Create {
    const SPEC: Spec = Spec {
        summary: "Makes a group that reads on from an ID.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::INSERT))],
        history: &[("7.0.0", "ENTRIESREAD was added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::one_of(
                "id-selector",
                &[Arg::string("id"), Arg::word("new-id", "$")],
            ),
            Arg::word("mkstream", "MKSTREAM").optional(),
            Arg::integer("entriesread")
                .token("ENTRIESREAD")
                .display("entries-read")
                .optional(),
        ],
        ..Spec::named("create")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            place: GroupKey::parse(args)?,
            position: args.required()?,
            make_stream: false,
            entries_read: None,
            too_many: (args.left() > OPTIONS_MAX).then(|| usage(args.whole(), "XGROUP")),
        };
        while args.left() > 0 {
            if args.keyword("MKSTREAM") {
                parsed.make_stream = true;
            } else if args.keyword_with_value("ENTRIESREAD") {
                parsed.entries_read = parse_entries_read(args)?;
            } else {
                return Err(usage(args.whole(), "XGROUP"));
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let GroupKey { key, group } = cmd.place;
        let stream = ctx.store.get::<Stream>(key)?;
        if stream.is_none() && !cmd.make_stream {
            return Err(CmdError::Stream(StreamError::GroupNeedsKey));
        }
        if let Some(error) = cmd.too_many {
            return Err(error);
        }
        let (last_id, added) = stream.map_or((StreamId::MIN, 0), |stream| {
            (stream.last_id(), stream.entries_added())
        });
        let id = parse_position(cmd.position, last_id)?;
        if stream.is_some_and(|stream| stream.groups().find(group).is_some()) {
            return Err(CmdError::Stream(StreamError::GroupExists));
        }
        let create = GroupChange::Create {
            id,
            entries_read: cmd.entries_read.map(|read| read.min(added)),
        };
        let create = Effect::on_group(key, group, create);
        ctx.store.apply(&create, event::XGROUP_CREATE);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
