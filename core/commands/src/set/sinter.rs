//! `SINTER`, `SINTERCARD` and `SINTERSTORE`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::set;
use engine::table::{Arg, Arity, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Combination;

use super::combined;

const COMPLEXITY: &str =
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.";

/// `SINTER key [key …]`
pub(super) struct SInter;

impl PlainCommand for SInter {
    const SPEC: Spec = Spec {
        name: "sinter",
        summary: "Answers the members that all of several sets have.",
        complexity: COMPLEXITY,
        ..combined::ANSWERING
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::answer(Combination::Intersection, keys, ctx)
    }
}

/// `SINTERSTORE destination key [key …]`
pub(super) struct SInterStore;

impl PlainCommand for SInterStore {
    const SPEC: Spec = Spec {
        name: "sinterstore",
        summary: "Stores the members that all of several sets have.",
        complexity: COMPLEXITY,
        ..combined::STORING
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let event = set::events::SINTERSTORE;
        combined::store(Combination::Intersection, args, event, ctx)
    }
}

/// `SINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) struct SInterCard;

impl Command for SInterCard {
    const SPEC: Spec = Spec {
        summary: "Tells how many members all of several sets have.",
        since: "7.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
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
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::integer("limit").token("LIMIT").optional(),
        ],
        ..Spec::named("sintercard")
    };
    type Parsed<'a> = (Argv<'a>, Option<u64>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let count = parse_i64(args.required()?).filter(|count| *count > 0);
        let count = count.ok_or(CmdError::NotPositive("numkeys"))?;
        let keys = args.take(usize::try_from(count).unwrap_or(usize::MAX));
        let keys = keys.map_err(|_| CmdError::KeysBeyondArguments)?;
        let mut limit = None;
        while args.keyword_with_value("LIMIT") {
            let most = parse_i64(args.required()?).and_then(|most| u64::try_from(most).ok());
            // 0 is none.
            limit = Some(most.ok_or(CmdError::IsNegative("LIMIT"))?).filter(|most| *most > 0);
        }
        Ok((keys, limit))
    }

    fn execute((keys, limit): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        combined::count(Combination::Intersection, keys, limit, ctx)
    }
}
