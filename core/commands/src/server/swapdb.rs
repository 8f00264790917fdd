//! `SWAPDB`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, TopologyError};
use engine::store::effect::{Effect, ServerChange, event};
use engine::table::{Arg, Arity, Categories, Flags, Group, Spec};

/// `SWAPDB index1 index2`
pub(super) struct SwapDb;

impl PlainCommand for SwapDb {
    const SPEC: Spec = Spec {
        summary: "Exchanges the contents of two databases.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
        arity: Arity::Exactly(3),
        flags: Flags::FAST.and(Flags::WRITE),
        categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
        args: &[Arg::integer("index1"), Arg::integer("index2")],
        ..Spec::named("swapdb")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((a, b): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.is_in_cluster() {
            return Err(TopologyError::NotInCluster("SWAPDB").into());
        }
        let index = |text, which| {
            let number = engine::args::parse_i64(text);
            let number = number.and_then(|number| i32::try_from(number).ok());
            number.ok_or(CmdError::InvalidSwapIndex(which))
        };
        let (a, b) = (index(a, "first")?, index(b, "second")?);
        let count = i32::from(ctx.store.keyspace().database_count());
        if !(0..count).contains(&a) || !(0..count).contains(&b) {
            return Err(CmdError::DbIndex);
        }
        if a != b {
            let (a, b) = (a as u16, b as u16);
            let swap = Effect::Server(ServerChange::SwapDatabases { a, b });
            ctx.store.apply(&swap, event::SWAPDB);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
