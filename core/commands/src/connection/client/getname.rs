//! `CLIENT GETNAME`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT GETNAME`
pub(super) struct GetName;

impl PlainCommand for GetName {
    const SPEC: Spec = Spec {
        summary: "Tells the name of the connection.",
        since: "2.6.9",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("getname")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.session.name.as_slice() {
            b"" => ctx.reply.null(),
            name => ctx.reply.bulk(name),
        }
        Ok(Flow::Done)
    }
}
