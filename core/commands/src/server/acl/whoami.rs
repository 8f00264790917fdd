//! `ACL WHOAMI`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Group, Spec};

use super::OF_EVERYBODY;

/// `ACL WHOAMI`
pub(super) struct WhoAmI;

impl PlainCommand for WhoAmI {
    const SPEC: Spec = Spec {
        summary: "Tells which user the client acts as.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: OF_EVERYBODY,
        ..Spec::named("whoami")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.bulk(ctx.session.user().name());
        Ok(Flow::Done)
    }
}
