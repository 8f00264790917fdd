//! `CLIENT CACHING`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

/// `CLIENT CACHING YES | NO`: an error, because nothing is ever tracked.
pub(super) struct Caching;

impl Command for Caching {
    const SPEC: Spec = Spec {
        summary: "Says whether the next reads are tracked; weir tracks none.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[Arg::one_of(
            "mode",
            &[Arg::word("yes", "YES"), Arg::word("no", "NO")],
        )],
        ..Spec::named("caching")
    };
    type Parsed<'a> = ();

    fn parse(_: &mut Args<'_>) -> Result<(), CmdError> {
        Err(CmdError::CachingWithoutTracking)
    }

    fn execute((): (), _: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        Err(CmdError::CachingWithoutTracking)
    }
}
