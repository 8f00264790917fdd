//! `RENAME` and `RENAMENX`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

/// `RENAME key newkey`
pub(super) struct Rename;

impl PlainCommand for Rename {
    const SPEC: Spec = Spec {
        summary: "Gives a key another name, and replaces what had that name.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE,
        keys: &[
            KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::OW.and(KeyFlags::UPDATE)),
        ],
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        ..Spec::named("rename")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, to): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.store.peek(key).is_none() {
            return Err(CmdError::NoSuchKey);
        }
        if key != to {
            let rename = Effect::on(key, KeyChange::Rename { to });
            ctx.store.apply(&rename, event::RENAME);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

/// `RENAMENX key newkey`
pub(super) struct RenameNx;

impl PlainCommand for RenameNx {
    const SPEC: Spec = Spec {
        summary: "Gives a key another name, unless that is taken.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::OW.and(KeyFlags::INSERT)),
        ],
        history: &[("3.2.0", "The names may be the same.")],
        args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
        ..Spec::named("renamenx")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, to): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.store.peek(key).is_none() {
            return Err(CmdError::NoSuchKey);
        }
        let free = ctx.store.peek(to).is_none();
        if free {
            let rename = Effect::on(key, KeyChange::Rename { to });
            ctx.store.apply(&rename, event::RENAME);
        }
        ctx.reply.int(i64::from(free));
        Ok(Flow::Done)
    }
}
