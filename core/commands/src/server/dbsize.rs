//! `DBSIZE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

/// `DBSIZE`
pub(super) struct DbSize;

impl PlainCommand for DbSize {
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
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.depend_on_all();
        let keys = ctx.store.keyspace().len(ctx.store.database);
        ctx.reply.int(keys as i64);
        Ok(Flow::Done)
    }
}
