//! `LASTSAVE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Flags, Group, Spec};

/// `LASTSAVE`
pub(super) struct LastSave;

impl PlainCommand for LastSave {
    const SPEC: Spec = Spec {
        summary: "Tells when the last snapshot was written, in seconds since the epoch.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::FAST.and(Flags::LOADING).and(Flags::STALE),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        tips: &["nondeterministic_output"],
        ..Spec::named("lastsave")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let at_s = match ctx.server.shell.persistence.snapshot_at_s {
            0 => ctx.server.started.unix().0 / 1000,
            at_s => at_s,
        };
        ctx.reply.int(at_s);
        Ok(Flow::Done)
    }
}
