//! `EXEC`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arity, Compat, Flags, Group, Spec};

use super::{end_transaction, unwatch_all};

/// `EXEC`: decides whether the queue runs; the engine runs it.
pub(super) struct Exec;

impl Command for Exec {
    const SPEC: Spec = Spec {
        summary: "Runs the commands queued since MULTI, as one.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "Depends on commands in the transaction",
        arity: Arity::Exactly(1),
        flags: Flags::NO_SCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::SKIP_SLOWLOG),
        compat: Compat::Differs(
            "A transaction does not run if a watched key has expired and is there because of `CLIENT PAUSE`, even if \
             it had expired when it was watched; in Redis it runs then.",
        ),
        ..Spec::named("exec")
    };
    type Parsed<'a> = ();

    fn parse(_args: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(queue) = &ctx.session.transaction else {
            return Err(CmdError::WithoutMulti("EXEC"));
        };
        let aborted = queue.aborted;
        // A watched key whose time came is as good as changed.
        let mut broken = false;
        for (database, key) in ctx.session.watched.keys() {
            broken |= ctx.tx.pass_over_overdue_in(*database, key);
        }
        broken |= ctx.tx.watches().is_broken(ctx.session.id);
        unwatch_all(ctx);
        if !aborted && !broken {
            return Ok(Flow::RunQueue);
        }
        end_transaction(ctx);
        if aborted {
            return Err(CmdError::ExecAbort);
        }
        ctx.tx.depend_on_all();
        ctx.reply.null_array();
        Ok(Flow::Done)
    }
}
