//! `FUNCTION DUMP`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Spec};

use super::SPEC;

/// `FUNCTION DUMP`
pub(super) struct Dump;

impl PlainCommand for Dump {
    const SPEC: Spec = Spec {
        name: "dump",
        summary: "Answers all libraries as bytes that FUNCTION RESTORE takes.",
        complexity: "O(N) where N is the number of functions",
        arity: Arity::Exactly(2),
        ..SPEC
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let libraries = ctx.store.libraries().iter();
        let dumped = rdb::dump_libraries(libraries.map(|(_, code)| code.as_slice()));
        ctx.reply.bulk_owned(dumped);
        Ok(Flow::Done)
    }
}
