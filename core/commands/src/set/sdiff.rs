//! `SDIFF` and `SDIFFSTORE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::set;
use engine::table::Spec;
use resp::Argv;
use values::Combination;

use super::combined;

const COMPLEXITY: &str = "O(N) where N is the total number of elements in all given sets.";

/// `SDIFF key [key …]`
pub(super) struct SDiff;

impl PlainCommand for SDiff {
    const SPEC: Spec = Spec {
        name: "sdiff",
        summary: "Answers the members that a set has and others do not.",
        complexity: COMPLEXITY,
        ..combined::ANSWERING
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::answer(Combination::Difference, keys, ctx)
    }
}

/// `SDIFFSTORE destination key [key …]`
pub(super) struct SDiffStore;

impl PlainCommand for SDiffStore {
    const SPEC: Spec = Spec {
        name: "sdiffstore",
        summary: "Stores the members that a set has and others do not.",
        complexity: COMPLEXITY,
        ..combined::STORING
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let event = set::events::SDIFFSTORE;
        combined::store(Combination::Difference, args, event, ctx)
    }
}
