//! `SINTERCARD`, and `SUNIONCARD` and `SDIFFCARD` (8.10). Source of these: the documentation of
//! Redis 8.10.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Combination;

use super::{combined, sinter};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "8.10.0",
    group: Group::Set,
    complexity: "O(N) where N is the total number of elements in all given sets.",
    arity: Arity::AtLeast(3),
    flags: Flags::READONLY.and(Flags::MOVABLE_KEYS),
    keys: &[KeySpec {
        find: FindKeys::KeyNum {
            count: 0,
            first: 1,
            step: 1,
        },
        ..KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))
    }],
    args: &[NUMKEYS, KEYS, LIMIT],
    ..Spec::named("")
};

const NUMKEYS: Arg = Arg::integer("numkeys");
const KEYS: Arg = Arg::key("key", 0).multiple();
const LIMIT: Arg = Arg::integer("limit").token("LIMIT").optional();

/// `SINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) struct SInterCard;

impl Command for SInterCard {
    const SPEC: Spec = Spec {
        name: "sintercard",
        summary: "Tells how many members all of several sets have.",
        since: "7.0.0",
        complexity: sinter::COMPLEXITY,
        ..FAMILY
    };
    type Parsed<'a> = Counted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Counted<'a>, CmdError> {
        Counted::parse(args, Ways::Exact)
    }

    fn execute(cmd: Counted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::count(Combination::Intersection, cmd.keys, cmd.limit, ctx)
    }
}

/// `SUNIONCARD numkeys key [key …] [APPROX] [LIMIT limit]`
pub(super) struct SUnionCard;

impl Command for SUnionCard {
    const SPEC: Spec = Spec {
        name: "sunioncard",
        summary: "Tells how many members any of several sets has.",
        args: &[
            NUMKEYS,
            KEYS,
            Arg::word("approx", "APPROX").optional(),
            LIMIT,
        ],
        ..FAMILY
    };
    type Parsed<'a> = Counted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Counted<'a>, CmdError> {
        Counted::parse(args, Ways::ExactOrNot)
    }

    fn execute(cmd: Counted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match cmd.is_estimate {
            true => combined::estimate_union(cmd.keys, cmd.limit, ctx),
            false => combined::count(Combination::Union, cmd.keys, cmd.limit, ctx),
        }
    }
}

/// `SDIFFCARD numkeys key [key …] [LIMIT limit]`
pub(super) struct SDiffCard;

impl Command for SDiffCard {
    const SPEC: Spec = Spec {
        name: "sdiffcard",
        summary: "Tells how many members a set has and others do not.",
        ..FAMILY
    };
    type Parsed<'a> = Counted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Counted<'a>, CmdError> {
        Counted::parse(args, Ways::Exact)
    }

    fn execute(cmd: Counted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::count(Combination::Difference, cmd.keys, cmd.limit, ctx)
    }
}

/// The sets that are combined, and how far members are counted.
pub(super) struct Counted<'a> {
    keys: Argv<'a>,
    limit: Option<u64>,
    is_estimate: bool,
}

/// How a command can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ways {
    Exact,
    /// With `APPROX` it estimates.
    ExactOrNot,
}

impl<'a> Counted<'a> {
    fn parse(args: &mut Args<'a>, ways: Ways) -> Result<Counted<'a>, CmdError> {
        let count = parse_i64(args.required()?).filter(|count| *count > 0);
        let count = count.ok_or(CmdError::NotPositive("numkeys"))?;
        let keys = args.take(usize::try_from(count).unwrap_or(usize::MAX));
        let keys = keys.map_err(|_| CmdError::KeysBeyondArguments)?;
        let (mut limit, mut is_estimate) = (None, false);
        loop {
            if args.keyword_with_value("LIMIT") {
                let most = parse_i64(args.required()?).and_then(|most| u64::try_from(most).ok());
                // 0 is none.
                limit = Some(most.ok_or(CmdError::IsNegative("LIMIT"))?).filter(|most| *most > 0);
            } else if ways == Ways::ExactOrNot && args.keyword("APPROX") {
                is_estimate = true;
            } else {
                return Ok(Counted {
                    keys,
                    limit,
                    is_estimate,
                });
            }
        }
    }
}
