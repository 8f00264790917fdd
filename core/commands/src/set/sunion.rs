//! `SUNION` and `SUNIONSTORE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::set;
use engine::table::Spec;
use resp::Argv;
use values::Combination;

use super::combined;

const COMPLEXITY: &str = "O(N) where N is the total number of elements in all given sets.";

/// `SUNION key [key …]`
pub(super) struct SUnion;

impl PlainCommand for SUnion {
    const SPEC: Spec = Spec {
        name: "sunion",
        summary: "Answers the members that any of several sets has.",
        complexity: COMPLEXITY,
        ..combined::ANSWERING
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::answer(Combination::Union, keys, ctx)
    }
}

/// `SUNIONSTORE destination key [key …]`
pub(super) struct SUnionStore;

impl PlainCommand for SUnionStore {
    const SPEC: Spec = Spec {
        name: "sunionstore",
        summary: "Stores the members that any of several sets has.",
        complexity: COMPLEXITY,
        ..combined::STORING
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let event = set::events::SUNIONSTORE;
        combined::store(Combination::Union, args, event, ctx)
    }
}
