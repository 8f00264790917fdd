//! `PUBSUB NUMPAT`.

use engine::clients::channels::Listening;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Group, Spec};

use super::channels::FLAGS;

/// `PUBSUB NUMPAT`
pub(super) struct NumPat;

impl PlainCommand for NumPat {
    const SPEC: Spec = Spec {
        summary: "Tells how many patterns clients listen to.",
        since: "2.8.0",
        group: Group::PubSub,
        arity: Arity::Exactly(2),
        flags: FLAGS,
        ..Spec::named("numpat")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.count(ctx.server.channels.len(Listening::Pattern));
        Ok(Flow::Done)
    }
}
