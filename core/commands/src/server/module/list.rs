//! `MODULE LIST`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Compat, Flags, Group, Spec};

/// `MODULE LIST`
pub(super) struct List;

impl PlainCommand for List {
    const SPEC: Spec = Spec {
        summary: "Lists the modules, of which there are none.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of loaded modules.",
        arity: Arity::Exactly(2),
        flags: Flags::ADMIN.and(Flags::NO_SCRIPT),
        tips: &["nondeterministic_output_order"],
        compat: Compat::Differs("There are no modules, not even that of vector sets."),
        ..Spec::named("list")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.array(0);
        Ok(Flow::Done)
    }
}
