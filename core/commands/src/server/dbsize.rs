//! `DBSIZE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

/// `DBSIZE`
pub(super) struct DbSize;

impl Command for DbSize {
    const SPEC: Spec = Spec {
        summary: "Tells how many keys the database holds.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        ..Spec::named("dbsize")
    };
    type Parsed<'a> = ();

    fn parse(_args: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.depend_on_all();
        let keys = ctx.store.keyspace().len(ctx.store.database);
        ctx.reply.int(keys as i64);
        Ok(Flow::Done)
    }
}
