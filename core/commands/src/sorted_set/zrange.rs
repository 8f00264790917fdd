//! `ZRANGE`, and the older commands for one kind of ranges each.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use values::SortedSet;

use super::range::{By, Direction, Form, Wanted};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::SortedSet,
    complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
    arity: Arity::AtLeast(4),
    flags: Flags::READONLY,
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    ..Spec::named("")
};

/// The complexity of ranges by rank.
const BY_RANK: &str = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.";

const fn replaced(replaced_by: &'static str) -> Option<Deprecated> {
    let since = "6.2.0";
    Some(Deprecated { since, replaced_by })
}

const KEY: Arg = Arg::key("key", 0);
const WITHSCORES: Arg = Arg::word("withscores", "WITHSCORES").optional();
const LIMIT: Arg = Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")])
    .token("LIMIT")
    .optional();

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub(super) struct ZRange;

impl Command for ZRange {
    const SPEC: Spec = Spec {
        name: "zrange",
        summary: "Answers the members of a sorted set in a range of ranks, scores or members.",
        since: "1.2.0",
        complexity: BY_RANK,
        history: &[("6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
        args: &[
            KEY,
            Arg::string("start"),
            Arg::string("stop"),
            Arg::one_of(
                "sortby",
                &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")],
            )
            .optional()
            .since("6.2.0"),
            Arg::word("rev", "REV").optional().since("6.2.0"),
            LIMIT.since("6.2.0"),
            WITHSCORES,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, None, None)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub(super) struct ZRevRange;

impl Command for ZRevRange {
    const SPEC: Spec = Spec {
        name: "zrevrange",
        summary: "Answers the members of a sorted set in a range of ranks, from the highest score on.",
        since: "1.2.0",
        complexity: BY_RANK,
        deprecated: replaced("`ZRANGE` with the `REV` argument"),
        args: &[KEY, Arg::integer("start"), Arg::integer("stop"), WITHSCORES],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, Some(By::Rank), Some(Direction::Down))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub(super) struct ZRangeByScore;

impl Command for ZRangeByScore {
    const SPEC: Spec = Spec {
        name: "zrangebyscore",
        summary: "Answers the members of a sorted set in a range of scores.",
        since: "1.0.5",
        deprecated: replaced("`ZRANGE` with the `BYSCORE` argument"),
        history: &[("2.0.0", "`WITHSCORES`.")],
        args: &[
            KEY,
            Arg::double("min"),
            Arg::double("max"),
            WITHSCORES.since("2.0.0"),
            LIMIT,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, Some(By::Score), Some(Direction::Up))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub(super) struct ZRevRangeByScore;

impl Command for ZRevRangeByScore {
    const SPEC: Spec = Spec {
        name: "zrevrangebyscore",
        summary: "Answers the members of a sorted set in a range of scores, from the highest on.",
        since: "2.2.0",
        deprecated: replaced("`ZRANGE` with the `REV` and `BYSCORE` arguments"),
        history: &[("2.1.6", "Either bound may be exclusive.")],
        args: &[
            KEY,
            Arg::double("max"),
            Arg::double("min"),
            WITHSCORES,
            LIMIT,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, Some(By::Score), Some(Direction::Down))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub(super) struct ZRangeByLex;

impl Command for ZRangeByLex {
    const SPEC: Spec = Spec {
        name: "zrangebylex",
        summary: "Answers the members of a sorted set in a range of members.",
        since: "2.8.9",
        deprecated: replaced("`ZRANGE` with the `BYLEX` argument"),
        args: &[KEY, Arg::string("min"), Arg::string("max"), LIMIT],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, Some(By::Member), Some(Direction::Up))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub(super) struct ZRevRangeByLex;

impl Command for ZRevRangeByLex {
    const SPEC: Spec = Spec {
        name: "zrevrangebylex",
        summary: "Answers the members of a sorted set in a range of members, from the last on.",
        since: "2.8.9",
        deprecated: replaced("`ZRANGE` with the `REV` and `BYLEX` arguments"),
        args: &[KEY, Arg::string("max"), Arg::string("min"), LIMIT],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, Some(By::Member), Some(Direction::Down))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    wanted: Wanted<'a>,
}

impl<'a> Parsed<'a> {
    fn parse(
        args: &mut Args<'a>,
        by: Option<By>,
        direction: Option<Direction>,
    ) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let form = Form {
            by,
            direction,
            may_have_scores: true,
        };
        let wanted = Wanted::parse(args, form)?;
        Ok(Parsed { key, wanted })
    }

    fn execute(self, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.store.get::<SortedSet>(self.key)? {
            Some(set) => self.wanted.reply(set, ctx.reply),
            None => ctx.reply.array(0),
        }
        Ok(Flow::Done)
    }
}
