//! `SREM`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;
use values::Set;

/// `SREM key member [member …]`
pub(super) struct SRem;

impl PlainCommand for SRem {
    const SPEC: Spec = Spec {
        summary: "Removes members of a set, and tells how many there were.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members to be removed.",
        arity: Arity::AtLeast(3),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        history: &[("2.4.0", "Several members.")],
        args: &[Arg::key("key", 0), Arg::string("member").multiple()],
        seeks: Seeks::Last,
        ..Spec::named("srem")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.store.get::<Set>(key)?.is_none() {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        }
        let remove = Effect::on(
            key,
            set::SetChange::Remove {
                members: set::Members::Args(members),
            },
        );
        let (some, all) = (set::events::SREM, set::events::SREM_ALL);
        let removed = ctx.store.apply_taking(&remove, some, all);
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}
