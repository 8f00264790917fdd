//! `ZREMRANGEBYRANK`, `ZREMRANGEBYSCORE` and `ZREMRANGEBYLEX`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::Event;
use engine::store::effect::sorted_set::events;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::pop::remove_ranks;
use super::range::{Bounds, By, Direction};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::SortedSet,
    complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
    arity: Arity::Exactly(4),
    flags: Flags::WRITE,
    frees: true,
    keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
    ..Spec::named("")
};

/// `ZREMRANGEBYRANK key start stop`
pub(super) struct ZRemRangeByRank;

impl Command for ZRemRangeByRank {
    const SPEC: Spec = Spec {
        name: "zremrangebyrank",
        summary: "Removes the members of a sorted set in a range of ranks.",
        since: "2.0.0",
        args: &[
            Arg::key("key", 0),
            Arg::integer("start"),
            Arg::integer("stop"),
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, By::Rank)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(events::ZREMRANGEBYRANK, ctx)
    }
}

/// `ZREMRANGEBYSCORE key min max`
pub(super) struct ZRemRangeByScore;

impl Command for ZRemRangeByScore {
    const SPEC: Spec = Spec {
        name: "zremrangebyscore",
        summary: "Removes the members of a sorted set in a range of scores.",
        since: "1.2.0",
        args: &[Arg::key("key", 0), Arg::double("min"), Arg::double("max")],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, By::Score)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(events::ZREMRANGEBYSCORE, ctx)
    }
}

/// `ZREMRANGEBYLEX key min max`
pub(super) struct ZRemRangeByLex;

impl Command for ZRemRangeByLex {
    const SPEC: Spec = Spec {
        name: "zremrangebylex",
        summary: "Removes the members of a sorted set in a range of members.",
        since: "2.8.9",
        args: &[Arg::key("key", 0), Arg::string("min"), Arg::string("max")],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, By::Member)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(events::ZREMRANGEBYLEX, ctx)
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

    /// `events` are those of some members and of all.
    fn execute(self, events: [&'static Event; 2], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Some(set) = ctx.store.get::<SortedSet>(self.key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let (ranks, len) = (self.bounds.ranks(set, Direction::Up), set.len());
        ctx.reply.count(ranks.len());
        remove_ranks(self.key, ranks, len, events, ctx);
        Ok(Flow::Done)
    }
}
