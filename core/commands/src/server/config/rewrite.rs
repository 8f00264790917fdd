//! `CONFIG REWRITE`.

use engine::clients::waiting::Wait;
use engine::command::{Ctx, Flow, Mode, PlainCommand};
use engine::error::CmdError;
use engine::server::Order;
use engine::table::{Arity, Compat, Flags, Group, Spec};

/// `CONFIG REWRITE`
pub(super) struct Rewrite;

impl PlainCommand for Rewrite {
    const SPEC: Spec = Spec {
        summary: "Writes the settings back to the configuration file.",
        since: "2.8.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        compat: Compat::Differs("It is refused within a transaction, since it waits for the disk."),
        ..Spec::named("rewrite")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.shell.config_file.is_empty() {
            return Err(CmdError::NoConfigFile);
        }
        if ctx.mode != Mode::Alone {
            return Err(CmdError::NotInTransaction);
        }
        ctx.server.orders.push(Order::RewriteConfiguration {
            waiting: ctx.session.id,
        });
        ctx.wait = Some(Wait::for_shell(ctx.store.database, "CONFIG"));
        Ok(Flow::Block)
    }
}
