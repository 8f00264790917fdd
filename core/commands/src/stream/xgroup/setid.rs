//! `XGROUP SETID`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, GroupChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::StreamId;

use super::{parse_entries_read, parse_position, required_group, usage};
use crate::stream::group_key::GroupKey;

/// `XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]`
pub(super) struct SetId;

pub(super) struct Parsed<'a> {
    place: GroupKey<'a>,
    position: &'a [u8],
    entries_read: Option<u64>,
}

impl Command for SetId {
    const SPEC: Spec = Spec {
        summary: "Sets the ID after which a group reads on.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE,
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::UPDATE))],
        history: &[("7.0.0", "ENTRIESREAD was added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("group"),
            Arg::one_of(
                "id-selector",
                &[Arg::string("id"), Arg::word("new-id", "$")],
            ),
            Arg::integer("entriesread")
                .token("ENTRIESREAD")
                .display("entries-read")
                .optional(),
        ],
        ..Spec::named("setid")
    };

    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            place: GroupKey::parse(args)?,
            position: args.required()?,
            entries_read: None,
        };
        while args.left() > 0 {
            if !args.keyword_with_value("ENTRIESREAD") {
                return Err(usage(args.whole(), "XGROUP"));
            }
            parsed.entries_read = parse_entries_read(args)?;
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (stream, _) = required_group(cmd.place, &mut ctx.store)?;
        let added = stream.entries_added();
        let id = match cmd.position {
            b"-" => StreamId::MIN,
            b"+" => StreamId::MAX,
            position => parse_position(position, stream.last_id())?,
        };
        let set_id = GroupChange::SetId {
            id,
            entries_read: cmd.entries_read.map(|read| read.min(added)),
        };
        let set_id = Effect::on_group(cmd.place.key, cmd.place.group, set_id);
        ctx.store.apply(&set_id, event::XGROUP_SETID);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
