//! `PFSELFTEST`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, HyperLogLogError};
use engine::table::{Arity, Flags, Group, Spec};
use values::hyperloglog::self_test;

/// `PFSELFTEST`
pub(super) struct PfSelfTest;

impl PlainCommand for PfSelfTest {
    const SPEC: Spec = Spec {
        name: "pfselftest",
        summary: "Tests that HyperLogLogs keep and estimate what they should.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "N/A",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN,
        ..Spec::named("")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        self_test().map_err(|failed| {
            CmdError::HyperLogLog(HyperLogLogError::HyperLogLogTest(failed.to_string()))
        })?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
