//! `ZRANK` and `ZREVRANK`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Seeks, Spec};
use values::SortedSet;

use super::range::Direction;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "2.0.0",
    group: Group::SortedSet,
    complexity: "O(log(N))",
    arity: Arity::AtLeast(3),
    flags: Flags::READONLY.and(Flags::FAST),
    keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    history: &[("7.2.0", "`WITHSCORE`.")],
    args: &[
        Arg::key("key", 0),
        Arg::string("member"),
        Arg::word("withscore", "WITHSCORE").optional(),
    ],
    ..Spec::named("")
};

/// `ZRANK key member [WITHSCORE]`
pub(super) struct ZRank;

impl Command for ZRank {
    const SPEC: Spec = Spec {
        name: "zrank",
        seeks: Seeks::Placed,
        summary: "Tells how many members of a sorted set are before one, from the lowest score on.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, "zrank")
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(Direction::Up, ctx)
    }
}

/// `ZREVRANK key member [WITHSCORE]`
pub(super) struct ZRevRank;

impl Command for ZRevRank {
    const SPEC: Spec = Spec {
        name: "zrevrank",
        seeks: Seeks::Placed,
        summary: "Tells how many members of a sorted set are behind one, up to the highest score.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Parsed::parse(args, "zrevrank")
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(Direction::Down, ctx)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    member: &'a [u8],
    with_score: bool,
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>, name: &str) -> Result<Parsed<'a>, CmdError> {
        let (key, member) = (args.required()?, args.required()?);
        if args.left() > 1 {
            return Err(CmdError::Arity(name.to_owned()));
        }
        let with_score = args.keyword("WITHSCORE");
        args.finish()?;
        Ok(Parsed {
            key,
            member,
            with_score,
        })
    }

    fn execute(self, direction: Direction, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(self.key)?;
        let found = set.and_then(|set| {
            let (rank, score) = set.rank(self.member)?;
            match direction {
                Direction::Up => Some((rank, score)),
                Direction::Down => Some((set.len() - 1 - rank, score)),
            }
        });
        match (found, self.with_score) {
            (None, false) => ctx.reply.null(),
            (None, true) => ctx.reply.null_array(),
            (Some((rank, _)), false) => ctx.reply.count(rank),
            (Some((rank, score)), true) => {
                ctx.reply.array(2);
                ctx.reply.count(rank);
                ctx.reply.double(score);
            }
        }
        Ok(Flow::Done)
    }
}
