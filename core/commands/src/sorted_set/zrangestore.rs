//! `ZRANGESTORE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::sorted_set::events;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::SortedSet;

use super::range::{Form, Wanted};
use super::store::{Told, store};

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub(super) struct ZRangeStore;

impl Command for ZRangeStore {
    const SPEC: Spec = Spec {
        summary: "Stores the members of a sorted set in a range of ranks, scores or members.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.",
        arity: Arity::AtLeast(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        args: &[
            Arg::key("dst", 0),
            Arg::key("src", 1),
            Arg::string("min"),
            Arg::string("max"),
            Arg::one_of(
                "sortby",
                &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")],
            )
            .optional(),
            Arg::word("rev", "REV").optional(),
            Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")])
                .token("LIMIT")
                .optional(),
        ],
        ..Spec::named("zrangestore")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let (to, from) = (args.required()?, args.required()?);
        let form = Form {
            by: None,
            direction: None,
            may_have_scores: false,
        };
        let wanted = Wanted::parse(args, form)?;
        let command = args.whole();
        Ok(Parsed {
            to,
            from,
            wanted,
            command,
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.reading().get::<SortedSet>(cmd.from)?.cloned();
        let thresholds = ctx.store.thresholds();
        let placing = ctx.store.placing(&thresholds);
        let result = set.map(|set| cmd.wanted.stored(&set, placing));
        let result = result.unwrap_or_default();
        let told = Told::ByCommand(cmd.command);
        store(cmd.to, result, told, events::ZRANGESTORE, ctx);
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    to: &'a [u8],
    from: &'a [u8],
    wanted: Wanted<'a>,
    command: Argv<'a>,
}
