//! `SINTER` and `SINTERSTORE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::set;
use engine::table::Spec;
use resp::Argv;
use values::Combination;

use super::combined;

pub(super) const COMPLEXITY: &str =
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.";

/// `SINTER key [key …]`
pub(super) struct SInter;

impl PlainCommand for SInter {
    const SPEC: Spec = Spec {
        name: "sinter",
        summary: "Answers the members that all of several sets have.",
        complexity: COMPLEXITY,
        ..combined::ANSWERING
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::answer(Combination::Intersection, keys, ctx)
    }
}

/// `SINTERSTORE destination key [key …]`
pub(super) struct SInterStore;

impl PlainCommand for SInterStore {
    const SPEC: Spec = Spec {
        name: "sinterstore",
        summary: "Stores the members that all of several sets have.",
        complexity: COMPLEXITY,
        ..combined::STORING
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let event = set::events::SINTERSTORE;
        combined::store(Combination::Intersection, args, event, ctx)
    }
}
