//! `SADD`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;
use values::Set;

/// `SADD key member [member …]`
pub(super) struct SAdd;

impl PlainCommand for SAdd {
    const SPEC: Spec = Spec {
        summary: "Adds members to a set, and tells how many of them are new.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        history: &[("2.4.0", "Several members.")],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        seeks: Seeks::Last,
        ..Spec::named("sadd")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.store.get::<Set>(key)?;
        let add = Effect::on(
            key,
            set::SetChange::Add {
                members: set::Members::Args(members),
            },
        );
        let added = ctx.store.apply(&add, set::events::SADD);
        ctx.reply.int(added as i64);
        Ok(Flow::Done)
    }
}
