//! `HSET`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Hash;

/// `HSET key field value [field value ...]`
pub(super) struct HSet;

impl Command for HSet {
    const SPEC: Spec = Spec {
        summary: "Sets fields of a hash, and tells how many of them are new.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.",
        arity: Arity::AtLeast(4),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        history: &[("4.0.0", "Several fields.")],
        args: &[
            Arg::key("key", 0),
            Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
        ],
        ..Spec::named("hset")
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        if !args.left().is_multiple_of(2) {
            return Err(CmdError::Arity("hset".to_owned()));
        }
        Ok((key, args.rest()))
    }

    fn execute((key, pairs): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let before = ctx.store.get::<Hash>(key)?.map_or(0, Hash::len);
        let set = Effect::on(key, hash::HashChange::Set { pairs });
        ctx.store.apply(&set, hash::events::HSET);
        let after = ctx.store.get::<Hash>(key)?.map_or(0, Hash::len);
        ctx.reply.count(after.saturating_sub(before));
        Ok(Flow::Done)
    }
}
