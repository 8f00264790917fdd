//! `LMOVEM` (8.10): elements move together. Source: the documentation of Redis 8.10.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, FromArgs};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, Spec};
use values::{End, List, Member};

use super::lmove::{KEYS, Move};
use super::lmpop::positive;
use super::place::ENDS;
use crate::element::reply_element;

/// `LMOVEM source destination LEFT | RIGHT LEFT | RIGHT [COUNT count | EXACTLY exactly OBO | BULK]`
pub(super) struct LMoveM;

impl Command for LMoveM {
    const SPEC: Spec = Spec {
        summary: "Takes elements out at an end of a list, and puts them in at an end of another.",
        since: "8.10.0",
        group: Group::List,
        complexity: COMPLEXITY,
        arity: Arity::AtLeast(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: KEYS,
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of("wherefrom", ENDS),
            Arg::one_of("whereto", ENDS),
            HOW_MANY,
        ],
        ..Spec::named("lmovem")
    };
    type Parsed<'a> = MoveMany<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok(MoveMany {
            moved: Move::parse(args)?,
            how_many: HowMany::from_args(args)?,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !cmd.try_on(ctx)? {
            ctx.reply.null_array();
        }
        Ok(Flow::Done)
    }
}

pub(super) const COMPLEXITY: &str = "O(N) where N is the number of elements moved.";

/// The last part of the arguments.
pub(super) const HOW_MANY: Arg = Arg::block(
    "how-many",
    &[
        Arg::one_of(
            "selector",
            &[
                Arg::integer("count").token("COUNT"),
                Arg::integer("exactly").token("EXACTLY"),
            ],
        ),
        Arg::one_of(
            "ordering",
            &[Arg::word("obo", "OBO"), Arg::word("bulk", "BULK")],
        ),
    ],
)
.optional();

/// Elements are taken from one end and put to another.
#[derive(Clone, Copy)]
pub(super) struct MoveMany<'a> {
    pub(super) moved: Move<'a>,
    pub(super) how_many: HowMany,
}

/// How many elements move, and in which order they come.
#[derive(Debug, Clone, Copy)]
pub(super) struct HowMany {
    /// At most, or exactly; at least 1.
    count: usize,
    is_exact: bool,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `OBO`: each is put in before the next is taken out.
    OneByOne,
    /// `BULK`: they stay in the order in which they are in the source.
    Bulk,
}

impl HowMany {
    /// How many elements the source has at least, or nothing moves.
    pub(super) fn needed(self) -> usize {
        match self.is_exact {
            true => self.count,
            false => 1,
        }
    }
}

impl<'a> FromArgs<'a> for HowMany {
    fn from_args(args: &mut Args<'a>) -> Result<HowMany, CmdError> {
        if args.left() == 0 {
            return Ok(HowMany {
                count: 1,
                is_exact: false,
                order: Order::OneByOne,
            });
        }
        let (name, is_exact) = if args.keyword_with_value("COUNT") {
            ("count", false)
        } else if args.keyword_with_value("EXACTLY") {
            ("exactly", true)
        } else {
            return Err(CmdError::Syntax);
        };
        let count = args.required()?;
        let order = if args.keyword("OBO") {
            Order::OneByOne
        } else if args.keyword("BULK") {
            Order::Bulk
        } else {
            return Err(CmdError::Syntax);
        };
        Ok(HowMany {
            count: positive(count).ok_or(CmdError::NotPositive(name))?,
            is_exact,
            order,
        })
    }
}

impl MoveMany<'_> {
    /// Moves the elements and answers them, in the order in which they are now. Does nothing and
    /// returns false if there are too few.
    pub(super) fn try_on(self, ctx: &mut Ctx<'_>) -> Result<bool, CmdError> {
        let Move {
            source,
            destination,
            end,
            to_end,
        } = self.moved;
        let Some(list) = ctx.store.get::<List>(source)? else {
            return Ok(false);
        };
        let len = list.len();
        if len < self.how_many.needed() {
            return Ok(false);
        }
        let count = self.how_many.count.min(len);
        let mut elements: Vec<Member> = list.range_at(end, count).map(Member::from).collect();
        // Each goes before the one that came before it, which turns them round.
        if self.how_many.order == Order::OneByOne && end == to_end {
            elements.reverse();
        }
        ctx.store.get::<List>(destination)?;
        ctx.reply.array(count);
        ctx.reply.each(elements.iter(), |reply, element| {
            reply_element(Some(element.as_element()), reply);
        });
        // The first that is put in at the left is the last one there.
        if to_end == End::Left {
            elements.reverse();
        }
        let left = list::events::Left::after(count, len);
        let change = list::ListChange::MoveMany {
            end,
            to: destination,
            to_end,
            elements: &elements,
            left,
        };
        let event = match source == destination {
            true => list::events::moved(end, to_end, list::events::Left::Some),
            false => list::events::moved(end, to_end, left),
        };
        ctx.store.apply(&Effect::on(source, change), event);
        Ok(true)
    }
}
