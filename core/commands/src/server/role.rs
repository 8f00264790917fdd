//! `ROLE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Compat, Flags, Group, Spec};

/// `ROLE`
pub(super) struct Role;

impl PlainCommand for Role {
    const SPEC: Spec = Spec {
        summary: "Tells the server's role in replication, and its position.",
        since: "2.8.12",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::FAST
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        compat: Compat::Differs(
            "The position grows with each write; in Redis it is 0 while no replica has come.",
        ),
        ..Spec::named("role")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.array(3);
        ctx.reply.bulk(b"master");
        ctx.reply.int(ctx.store.log().last().number() as i64);
        ctx.reply.array(0);
        Ok(Flow::Done)
    }
}
