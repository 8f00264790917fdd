//! `SELECT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, TopologyError};
use engine::table::{Arg, Arity, Flags, Group, Spec};

use crate::key::database::parse_database;

/// `SELECT index`
pub(super) struct Select;

impl PlainCommand for Select {
    const SPEC: Spec = Spec {
        summary: "Selects the database of the commands that follow.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::SELECTS_DATABASE),
        args: &[Arg::integer("index")],
        ..Spec::named("select")
    };
    type Args<'a> = i64;

    fn execute(index: i64, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if index != 0 && ctx.server.is_in_cluster() {
            return Err(TopologyError::NotInCluster("SELECT").into());
        }
        ctx.session.database = parse_database(index, ctx)?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
