//! `SMOVE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, set};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Set;

/// `SMOVE source destination member`
pub(super) struct SMove;

impl PlainCommand for SMove {
    const SPEC: Spec = Spec {
        summary: "Moves a member from one set to another.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::RW.and(KeyFlags::INSERT)),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::string("member"),
        ],
        ..Spec::named("smove")
    };
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn execute((from, to, member): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(set) = ctx.store.get::<Set>(from)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let (is_there, is_last) = (set.contains(member), set.len() == 1);
        ctx.store.get::<Set>(to)?;
        if is_there && from != to {
            let members = set::Members::One(member);
            let event = match is_last {
                true => set::events::SREM_ALL,
                false => set::events::SREM,
            };
            let remove = set::SetChange::Remove { members };
            ctx.store.apply(&Effect::on(from, remove), event);
            let add = set::SetChange::Add { members };
            ctx.store.apply(&Effect::on(to, add), set::events::SADD);
        }
        ctx.reply.int(i64::from(is_there));
        Ok(Flow::Done)
    }
}
