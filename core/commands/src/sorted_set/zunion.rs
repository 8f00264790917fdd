//! `ZUNION`, `ZINTER` and `ZDIFF`, what they store, and `ZINTERCARD`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::Event;
use engine::store::effect::sorted_set::events;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;

use super::combined::{
    AGGREGATE, Aggregate, Combination, Options, WEIGHTS, Wanted, built, count_common, parse_keys,
    sources_at,
};
use super::reply::{as_element, reply_members};
use super::store::{Told, store};

const INTER: &str = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.";
const DIFF: &str = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.";

const NUMKEYS: Arg = Arg::integer("numkeys");
const WITHSCORES: Arg = Arg::word("withscores", "WITHSCORES").optional();

/// What the rows have in common that answer members.
const ANSWERING: Spec = Spec {
    since: "6.2.0",
    group: Group::SortedSet,
    arity: Arity::AtLeast(3),
    flags: Flags::MOVABLE_KEYS.and(Flags::READONLY),
    keys: &[sources_at(1)],
    args: &[
        NUMKEYS,
        Arg::key("key", 0).multiple(),
        WEIGHTS,
        AGGREGATE,
        WITHSCORES,
    ],
    ..Spec::named("")
};

/// What the rows have in common that store them.
const STORING: Spec = Spec {
    since: "2.0.0",
    group: Group::SortedSet,
    arity: Arity::AtLeast(4),
    flags: Flags::DENY_OOM.and(Flags::MOVABLE_KEYS).and(Flags::WRITE),
    keys: &[
        KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
        sources_at(2),
    ],
    args: &[
        Arg::key("destination", 0),
        NUMKEYS,
        Arg::key("key", 1).multiple(),
        WEIGHTS,
        AGGREGATE,
    ],
    ..Spec::named("")
};

/// `ZUNION numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX | COUNT] [WITHSCORES]`
pub(super) struct ZUnion;

impl Command for ZUnion {
    const SPEC: Spec = Spec {
        name: "zunion",
        summary: "Answers the members that some of several sorted sets have.",
        complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        history: &[("8.8.0", "`AGGREGATE COUNT`.")],
        ..ANSWERING
    };
    type Parsed<'a> = Wanted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Wanted<'a>, CmdError> {
        parse_answering(args, Combination::Union, "zunion")
    }

    fn execute(cmd: Wanted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(cmd, Combination::Union, ctx)
    }
}

/// `ZINTER numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX | COUNT] [WITHSCORES]`
pub(super) struct ZInter;

impl Command for ZInter {
    const SPEC: Spec = Spec {
        name: "zinter",
        summary: "Answers the members that all of several sorted sets have.",
        complexity: INTER,
        history: &[("8.8.0", "`AGGREGATE COUNT`.")],
        ..ANSWERING
    };
    type Parsed<'a> = Wanted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Wanted<'a>, CmdError> {
        parse_answering(args, Combination::Intersection, "zinter")
    }

    fn execute(cmd: Wanted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(cmd, Combination::Intersection, ctx)
    }
}

/// `ZDIFF numkeys key [key …] [WITHSCORES]`
pub(super) struct ZDiff;

impl Command for ZDiff {
    const SPEC: Spec = Spec {
        name: "zdiff",
        summary: "Answers the members of a sorted set that none of several others has.",
        complexity: DIFF,
        args: &[NUMKEYS, Arg::key("key", 0).multiple(), WITHSCORES],
        ..ANSWERING
    };
    type Parsed<'a> = Wanted<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Wanted<'a>, CmdError> {
        parse_answering(args, Combination::Difference, "zdiff")
    }

    fn execute(cmd: Wanted<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        answer(cmd, Combination::Difference, ctx)
    }
}

/// `ZUNIONSTORE destination numkeys key [key …] [WEIGHTS weight …]
/// [AGGREGATE SUM | MIN | MAX | COUNT]`
pub(super) struct ZUnionStore;

impl Command for ZUnionStore {
    const SPEC: Spec = Spec {
        name: "zunionstore",
        summary: "Stores the members that some of several sorted sets have.",
        complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        history: &[("8.8.0", "`AGGREGATE COUNT`.")],
        ..STORING
    };
    type Parsed<'a> = Stored<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Stored<'a>, CmdError> {
        Stored::parse(args, Combination::Union, "zunionstore")
    }

    fn execute(cmd: Stored<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(Combination::Union, events::ZUNIONSTORE, ctx)
    }
}

/// `ZINTERSTORE destination numkeys key [key …] [WEIGHTS weight …]
/// [AGGREGATE SUM | MIN | MAX | COUNT]`
pub(super) struct ZInterStore;

impl Command for ZInterStore {
    const SPEC: Spec = Spec {
        name: "zinterstore",
        summary: "Stores the members that all of several sorted sets have.",
        complexity: INTER,
        history: &[("8.8.0", "`AGGREGATE COUNT`.")],
        ..STORING
    };
    type Parsed<'a> = Stored<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Stored<'a>, CmdError> {
        Stored::parse(args, Combination::Intersection, "zinterstore")
    }

    fn execute(cmd: Stored<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(Combination::Intersection, events::ZINTERSTORE, ctx)
    }
}

/// `ZDIFFSTORE destination numkeys key [key …]`
pub(super) struct ZDiffStore;

impl Command for ZDiffStore {
    const SPEC: Spec = Spec {
        name: "zdiffstore",
        summary: "Stores the members of a sorted set that none of several others has.",
        since: "6.2.0",
        complexity: DIFF,
        args: &[
            Arg::key("destination", 0),
            NUMKEYS,
            Arg::key("key", 1).multiple(),
        ],
        ..STORING
    };
    type Parsed<'a> = Stored<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Stored<'a>, CmdError> {
        Stored::parse(args, Combination::Difference, "zdiffstore")
    }

    fn execute(cmd: Stored<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(Combination::Difference, events::ZDIFFSTORE, ctx)
    }
}

/// `ZINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) struct ZInterCard;

impl Command for ZInterCard {
    const SPEC: Spec = Spec {
        name: "zintercard",
        summary: "Tells how many members all of several sorted sets have.",
        since: "7.0.0",
        complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.",
        args: &[
            NUMKEYS,
            Arg::key("key", 0).multiple(),
            Arg::integer("limit").token("LIMIT").optional(),
        ],
        ..ANSWERING
    };
    type Parsed<'a> = (Argv<'a>, Args<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let keys = parse_keys(args, "zintercard")?;
        let options = args.clone();
        args.rest();
        Ok((keys, options))
    }

    fn execute((keys, options): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let count = count_common(keys, options, ctx)?;
        ctx.reply.count(count);
        Ok(Flow::Done)
    }
}

fn parse_answering<'a>(
    args: &mut Args<'a>,
    combination: Combination,
    name: &str,
) -> Result<Wanted<'a>, CmdError> {
    let options = Options {
        may_aggregate: combination != Combination::Difference,
        may_have_scores: true,
    };
    Wanted::parse(args, name, options)
}

fn answer(
    wanted: Wanted<'_>,
    combination: Combination,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    wanted.combine(combination, ctx, |members, chosen, ctx| {
        let len = members.len();
        reply_members(members.map(as_element), len, chosen.with_scores, ctx.reply);
    })?;
    Ok(Flow::Done)
}

/// What is to be combined, and where it goes.
pub(super) struct Stored<'a> {
    to: &'a [u8],
    wanted: Wanted<'a>,
    command: Argv<'a>,
}

impl<'a> Stored<'a> {
    fn parse(
        args: &mut Args<'a>,
        combination: Combination,
        name: &str,
    ) -> Result<Stored<'a>, CmdError> {
        let to = args.required()?;
        let options = Options {
            may_aggregate: combination != Combination::Difference,
            may_have_scores: false,
        };
        let wanted = Wanted::parse(args, name, options)?;
        let command = args.whole();
        Ok(Stored {
            to,
            wanted,
            command,
        })
    }

    fn execute(
        self,
        combination: Combination,
        event: &'static Event,
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let command = self.command;
        let combined = self
            .wanted
            .combine(combination, ctx, |members, chosen, ctx| {
                let told = match chosen.aggregate {
                    // Redis 8.6, which does not know the word, reads the journal too.
                    Aggregate::Count => Told::Itself,
                    Aggregate::Sum | Aggregate::Lowest | Aggregate::Highest => {
                        Told::ByCommand(command)
                    }
                };
                (built(members, ctx), told)
            });
        let (set, told) = combined?;
        store(self.to, set, told, event, ctx);
        Ok(Flow::Done)
    }
}
