//! `SREM`.

use std::collections::BTreeSet;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
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
        ..Spec::named("srem")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, members): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(set) = ctx.store.get::<Set>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let event = match are_all(set, members) {
            true => set::events::SREM_ALL,
            false => set::events::SREM,
        };
        let remove = Effect::on(
            key,
            set::SetChange::Remove {
                members: set::Members::Args(members),
            },
        );
        let removed = ctx.store.apply(&remove, event);
        ctx.reply.int(removed as i64);
        Ok(Flow::Done)
    }
}

/// Returns whether a set has no other members than these.
fn are_all(set: &Set, members: Argv<'_>) -> bool {
    if members.len() < set.len() {
        return false;
    }
    let members: BTreeSet<&[u8]> = members.iter().collect();
    let mut all = set.iter();
    all.all(|member| member.with_bytes(|member| members.contains(member)))
}
