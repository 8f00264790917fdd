//! `XDELEX`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{References, Stream, StreamId, ascending};

use super::deletion::{DELETED, Deletion, NOT_FOUND, STILL_REFERENCED, reply_each, reply_none};
use super::ids_block::{IDS, parse_ids};
use super::references_option::REFERENCES;

/// `XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id …]`
pub(super) struct XDelEx;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    /// Errors in here come after that of a wrong type.
    deletion: Result<Deletion<'a>, CmdError>,
}

impl Command for XDelEx {
    const SPEC: Spec = Spec {
        summary: "Deletes entries, as far as the groups that refer to them allow, and answers for each.",
        since: "8.2.0",
        group: Group::Stream,
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        arity: Arity::AtLeast(5),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[Arg::key("key", 0), REFERENCES, IDS],
        ..Spec::named("xdelex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            key: args.required()?,
            deletion: Deletion::parse(args),
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Ok(Deletion { references, ids }) = &cmd.deletion {
            ctx.store.prepare_stream(cmd.key, *references, |stream| {
                stream.groups_mut().expect_questions(ids.len());
            });
        }
        let found = ctx.store.get::<Stream>(cmd.key)?;
        let Deletion { references, ids } = cmd.deletion?;
        let Some(stream) = found else {
            reply_none(ids, ctx.reply);
            return Ok(Flow::Done);
        };
        let ids = parse_ids(ids)?;
        let (replies, deleted) = decide(stream, &ids, references);
        if !deleted.is_empty() {
            let delete = StreamChange::Delete {
                ids: &deleted,
                references: Deletion::decided(references),
            };
            ctx.store.apply(&Effect::on(cmd.key, delete), event::XDEL);
        }
        reply_each(replies.into_iter(), ctx.reply);
        Ok(Flow::Done)
    }
}

/// What is answered for each ID, and the IDs that have something to delete.
fn decide(stream: &Stream, ids: &[StreamId], references: References) -> (Vec<i64>, Vec<StreamId>) {
    let (mut replies, mut deleted) = (vec![NOT_FOUND; ids.len()], Vec::new());
    let mut look = stream.entries().look_up();
    for same in ascending(ids).chunk_by(|one, next| one.0 == next.0) {
        let &[(id, first), ..] = same else { continue };
        // Whether a group is done with an ID can be asked of any ID, and is asked first.
        if references == References::Acknowledged && !stream.groups().acknowledged_by_all(id) {
            for &(_, number) in same {
                replies[number as usize] = STILL_REFERENCED;
            }
            continue;
        }
        let there = look.contains(id);
        if there || references == References::Delete && stream.groups().is_pending_anywhere(id) {
            deleted.push(id);
        }
        if there {
            replies[first as usize] = DELETED;
        }
    }
    (replies, deleted)
}
