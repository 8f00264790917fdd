//! `XDEL`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{References, Stream, StreamId};

use super::ids_block::parse_ids;

/// `XDEL key id [id …]`
pub(super) struct XDel;

impl PlainCommand for XDel {
    const SPEC: Spec = Spec {
        summary: "Deletes entries, and tells how many there were.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        arity: Arity::AtLeast(3),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[Arg::key("key", 0), Arg::string("id").multiple()],
        ..Spec::named("xdel")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, ids): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(stream) = ctx.store.get::<Stream>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let ids = parse_ids(ids)?;
        let found = stream.entries().contain(&ids);
        let there = ids.into_iter().zip(found).filter(|(_, found)| *found);
        let there: Vec<StreamId> = there.map(|(id, _)| id).collect();
        let delete = StreamChange::Delete {
            ids: &there,
            references: References::Keep,
        };
        let deleted = ctx.store.apply(&Effect::on(key, delete), event::XDEL);
        ctx.reply.int(deleted as i64);
        Ok(Flow::Done)
    }
}
