//! `ZCOUNT` and `ZLEXCOUNT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::range::{Bounds, By, Direction};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::SortedSet,
    complexity: "O(log(N)) with N being the number of elements in the sorted set.",
    arity: Arity::Exactly(4),
    flags: Flags::READONLY.and(Flags::FAST),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    ..Spec::named("")
};

/// `ZCOUNT key min max`
pub(super) struct ZCount;

impl Command for ZCount {
    const SPEC: Spec = Spec {
        name: "zcount",
        summary: "Tells how many members of a sorted set are in a range of scores.",
        since: "2.0.0",
        args: &[Arg::key("key", 0), Arg::double("min"), Arg::double("max")],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, By::Score)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZLEXCOUNT key min max`
pub(super) struct ZLexCount;

impl Command for ZLexCount {
    const SPEC: Spec = Spec {
        name: "zlexcount",
        summary: "Tells how many members of a sorted set are in a range of members.",
        since: "2.8.9",
        args: &[Arg::key("key", 0), Arg::string("min"), Arg::string("max")],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, By::Member)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    bounds: Bounds<'a>,
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>, by: By) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let bounds = Bounds::parse(by, Direction::Up, args.required()?, args.required()?)?;
        Ok(Parsed { key, bounds })
    }

    fn execute(self, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(self.key)?;
        let count = set.map_or(0, |set| self.bounds.ranks(set, Direction::Up).len());
        ctx.reply.count(count);
        Ok(Flow::Done)
    }
}
