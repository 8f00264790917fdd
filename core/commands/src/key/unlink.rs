//! `UNLINK`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

/// `UNLINK key [key …]`
pub(super) struct Unlink;

impl PlainCommand for Unlink {
    const SPEC: Spec = Spec {
        summary: "Deletes keys, and tells how many there were; a large value is freed in the background.",
        since: "4.0.0",
        group: Group::Generic,
        complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::range(
            1,
            KeyFlags::RM.and(KeyFlags::DELETE),
            -1,
            1,
            0,
        )],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("unlink")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        super::del::delete(keys, ctx)
    }
}
