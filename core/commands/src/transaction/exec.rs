//! `EXEC`: the queued commands as one atomic batch, their replies as one array.

use engine::clients::session::Queue;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::dropped::What;
use engine::table::{Arity, Compat, Flags, Group, Spec};

use super::unwatch_all;

/// `EXEC`
pub(super) struct Exec;

impl PlainCommand for Exec {
    const SPEC: Spec = Spec {
        summary: "Runs the commands queued since MULTI, as one.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "Depends on commands in the transaction",
        arity: Arity::Exactly(1),
        flags: Flags::NO_SCRIPT
            .and(Flags::CONTROLS_MULTI)
            .and(Flags::RUNS_QUEUE)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::SKIP_SLOWLOG),
        compat: Compat::Differs(
            "A transaction does not run if a watched key has expired and is there because of `CLIENT PAUSE`, even if \
             it had expired when it was watched; in Redis it runs then.",
        ),
        ..Spec::named("exec")
    };
    type Args<'a> = ();
    /// The commands see one time, nothing blocks, and one that fails does not undo or stop the
    /// others.
    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(queue) = ctx.session.end_transaction() else {
            return Err(CmdError::WithoutMulti("EXEC"));
        };
        // A watched key that has expired counts as changed.
        let mut broken = false;
        for (database, key) in ctx.session.watched.keys() {
            broken |= ctx.store.pass_over_overdue_in(*database, key);
        }
        broken |= ctx.store.watches().is_broken(ctx.session.id);
        unwatch_all(ctx);
        let result = if queue.aborted {
            Err(CmdError::ExecAbort)
        } else {
            if broken {
                ctx.store.depend_on_all();
                ctx.reply.null_array();
            } else {
                ctx.session.running = Some(queue.size());
                run(&queue, ctx);
                ctx.session.running = None;
            }
            Ok(Flow::Done)
        };
        ctx.store.drop_later(What::Queue(queue));
        result
    }
}

fn run(queue: &Queue, ctx: &mut Ctx<'_>) {
    ctx.reply.array(queue.requests.len());
    for request in &queue.requests {
        // All of them run, but of what is too much for the client nothing is kept.
        ctx.reply.is_full();
        if let Err(error) = ctx.call_queued(request.as_argv()) {
            ctx.refuse(error);
        }
    }
}
