//! `LPOS`.

use collections::Element;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, FromArgs};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

use super::place::FromEnd;

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub(super) struct LPos;

impl Command for LPos {
    const SPEC: Spec = Spec {
        summary: "Tells where in a list elements are that are equal to one.",
        since: "6.0.6",
        group: Group::List,
        complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::string("element"),
            Arg::integer("rank").token("RANK").optional(),
            Arg::integer("num-matches").token("COUNT").optional(),
            Arg::integer("len").token("MAXLEN").optional(),
        ],
        ..Spec::named("lpos")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            key: args.required()?,
            element: args.required()?,
            rank: 1,
            count: None,
            maxlen: usize::MAX,
        };
        while args.left() > 0 {
            if args.keyword_with_value("RANK") {
                parsed.rank = FromEnd::from_args(args)?.0;
                if parsed.rank == 0 {
                    return Err(CmdError::RankZero);
                }
            } else if args.keyword_with_value("COUNT") {
                parsed.count = Some(at_most(args, "COUNT")?);
            } else if args.keyword_with_value("MAXLEN") {
                parsed.maxlen = at_most(args, "MAXLEN")?;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let list = ctx.store.get::<List>(cmd.key)?.unwrap_or(&NONE);
        match cmd.count {
            None => match cmd.positions(list).next() {
                Some(position) => ctx.reply.count(position),
                None => ctx.reply.null(),
            },
            Some(count) => {
                let outer = ctx.reply.begin();
                let positions = cmd.positions(list).take(count);
                let found = ctx.reply.each(positions, |reply, at| reply.count(at));
                ctx.reply.array_since(outer, found);
            }
        }
        Ok(Flow::Done)
    }
}

/// A list that is missing has no elements.
static NONE: List = List::new();

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    element: &'a [u8],
    /// Which of those that are equal is the first to be told of: 1 is the first of all, -1 the
    /// last.
    rank: i64,
    count: Option<usize>,
    /// How many elements are looked at.
    maxlen: usize,
}

/// How many at most: 0 is without a bound.
fn at_most(args: &mut Args<'_>, name: &'static str) -> Result<usize, CmdError> {
    let number = parse_i64(args.required()?).and_then(|number| usize::try_from(number).ok());
    match number {
        None => Err(CmdError::IsNegative(name)),
        Some(0) => Ok(usize::MAX),
        Some(number) => Ok(number),
    }
}

impl Parsed<'_> {
    /// Where the elements are, in the order in which they are found.
    fn positions<'l>(&self, list: &'l List) -> impl Iterator<Item = usize> + use<'l, '_> {
        let sought = Element::of(self.element);
        let len = list.len();
        let looked_at = self.maxlen.min(len);
        let skipped = usize::try_from(self.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let (left, right) = match self.rank > 0 {
            true => (list.range(0, looked_at), list.range(0, 0)),
            false => (list.range(0, 0), list.range(len - looked_at, len)),
        };
        let left = left.enumerate();
        let right = right.rev().enumerate();
        let right = right.map(move |(at, element)| (len - 1 - at, element));
        let equal = left.chain(right).filter(move |(_, it)| *it == sought);
        equal.map(|(at, _)| at).skip(skipped)
    }
}
