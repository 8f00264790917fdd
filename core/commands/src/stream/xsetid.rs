//! `XSETID`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, StreamError};
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{SetId, Stream, StreamId};

/// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`
pub(super) struct XSetId;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    set: SetId,
}

impl Command for XSetId {
    const SPEC: Spec = Spec {
        summary: "Sets the last ID of a stream, and the counters that belong to it.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        history: &[("7.0.0", "ENTRIESADDED and MAXDELETEDID were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::string("last-id"),
            Arg::integer("entries-added")
                .token("ENTRIESADDED")
                .since("7.0.0")
                .optional(),
            Arg::string("max-deleted-id")
                .token("MAXDELETEDID")
                .since("7.0.0")
                .optional(),
        ],
        compat: Compat::Differs(
            "Where ENTRIESADDED is below what a group has read, that is lowered too. In Redis the group's lag turns negative.",
        ),
        ..Spec::named("xsetid")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let mut set = SetId {
            last_id: StreamId::parse(args.required()?, 0)?,
            entries_added: None,
            max_deleted_id: None,
        };
        while args.left() > 0 {
            if args.keyword_with_value("ENTRIESADDED") {
                let count = args.integer()?;
                let count = u64::try_from(count)
                    .map_err(|_| CmdError::Stream(StreamError::EntriesAddedNegative))?;
                set.entries_added = Some(count);
            } else if args.keyword_with_value("MAXDELETEDID") {
                set.max_deleted_id = Some(StreamId::parse(args.required()?, 0)?);
                set.check()?;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(Parsed { key, set })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx
            .store
            .get::<Stream>(cmd.key)?
            .ok_or(CmdError::NoSuchKey)?;
        stream.check_set_id(&cmd.set)?;
        let set_id = Effect::on(cmd.key, StreamChange::SetId(cmd.set));
        ctx.store.apply(&set_id, event::XSETID);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
