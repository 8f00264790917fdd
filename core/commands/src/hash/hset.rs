//! `HSET` and `HMSET`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Compat, Deprecated, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use resp::Argv;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "2.0.0",
    group: Group::Hash,
    arity: Arity::AtLeast(4),
    flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
    keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
    args: &[
        Arg::key("key", 0),
        Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
    ],
    ..Spec::named("")
};

/// `HSET key field value [field value …]`
pub(super) struct HSet;

impl Command for HSet {
    const SPEC: Spec = Spec {
        name: "hset",
        seeks: Seeks::Second,
        summary: "Sets fields of a hash, and tells how many of them are new.",
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.",
        history: &[("4.0.0", "Several fields.")],
        compat: Compat::Differs(
            "A field whose time is over, but which is still there, counts as new. For Redis it is not.",
        ),
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, "hset")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let new = cmd.set(ctx)?;
        ctx.reply.count(new);
        Ok(Flow::Done)
    }
}

/// `HMSET key field value [field value …]`
pub(super) struct HMSet;

impl Command for HMSet {
    const SPEC: Spec = Spec {
        name: "hmset",
        seeks: Seeks::Second,
        summary: "Sets fields of a hash.",
        complexity: "O(N) where N is the number of fields being set.",
        deprecated: Some(Deprecated {
            since: "4.0.0",
            replaced_by: "`HSET` with multiple field-value pairs",
        }),
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, "hmset")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.set(ctx)?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    pairs: Argv<'a>,
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>, name: &str) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        if !args.left().is_multiple_of(2) {
            return Err(CmdError::Arity(name.to_owned()));
        }
        let pairs = args.rest();
        Ok(Parsed { key, pairs })
    }

    /// Sets the fields and returns how many of them are new.
    fn set(self, ctx: &mut Ctx<'_>) -> Result<usize, CmdError> {
        let Parsed { key, pairs } = self;
        let before = ctx.store.fields(key)?.map_or(0, |fields| fields.len());
        let set = Effect::on(key, hash::HashChange::Set { pairs });
        ctx.store.apply(&set, hash::events::HSET);
        let after = ctx.store.fields(key)?.map_or(0, |fields| fields.len());
        Ok(after.saturating_sub(before))
    }
}
