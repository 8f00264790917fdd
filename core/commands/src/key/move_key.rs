//! `MOVE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, TopologyError};
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

use super::database::parse_database;

/// `MOVE key db`
pub(super) struct Move;

impl PlainCommand for Move {
    const SPEC: Spec = Spec {
        summary: "Moves a key to another database, unless it exists there.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &[Arg::key("key", 0), Arg::integer("db")],
        ..Spec::named("move")
    };
    type Args<'a> = (&'a [u8], i64);

    fn execute((key, to_db): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.is_in_cluster() {
            return Err(TopologyError::NotInCluster("MOVE").into());
        }
        let to_db = parse_database(to_db, ctx)?;
        if to_db == ctx.store.database {
            return Err(CmdError::SameObject);
        }
        let free = ctx.store.peek(key).is_some() && !ctx.store.exists_in(to_db, key);
        if free {
            let relocate = Effect::on(key, KeyChange::Move { to_db });
            ctx.store.apply(&relocate, event::MOVE);
        }
        ctx.reply.int(i64::from(free));
        Ok(Flow::Done)
    }
}
