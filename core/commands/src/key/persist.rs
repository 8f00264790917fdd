//! `PERSIST`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

/// `PERSIST key`
pub(super) struct Persist;

impl Command for Persist {
    const SPEC: Spec = Spec {
        summary: "Removes the time to live of a key.",
        since: "2.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[Arg::key("key", 0)],
        ..Spec::named("persist")
    };
    type Parsed<'a> = &'a [u8];

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        args.required()
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let expires = ctx
            .store
            .peek(cmd)
            .is_some_and(|record| record.expires_at().is_some());
        if expires {
            let persist = Effect::on(cmd, KeyChange::Persist);
            ctx.store.apply(&persist, event::PERSIST);
        }
        ctx.reply.int(i64::from(expires));
        Ok(Flow::Done)
    }
}
