//! `LMOVE` and `RPOPLPUSH`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow, FromArgs};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use values::{End, List};

use super::place::{AtEnd, ENDS};
use crate::element::reply_element;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::List,
    complexity: "O(1)",
    flags: Flags::DENY_OOM.and(Flags::WRITE),
    keys: KEYS,
    ..Spec::named("")
};

/// The source and the destination.
pub(super) const KEYS: &[KeySpec] = &[
    KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
    KeySpec::at(2, KeyFlags::RW.and(KeyFlags::INSERT)),
];

/// `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`
pub(super) struct LMove;

impl Command for LMove {
    const SPEC: Spec = Spec {
        name: "lmove",
        summary: "Takes an element out at an end of a list, and puts it in at an end of another.",
        since: "6.2.0",
        arity: Arity::Exactly(5),
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of("wherefrom", ENDS),
            Arg::one_of("whereto", ENDS),
        ],
        ..FAMILY
    };
    type Parsed<'a> = Move<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Move::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !cmd.try_on(ctx)? {
            ctx.reply.null();
        }
        Ok(Flow::Done)
    }
}

/// `RPOPLPUSH source destination`
pub(super) struct RPopLPush;

impl Command for RPopLPush {
    const SPEC: Spec = Spec {
        name: "rpoplpush",
        summary: "Takes the last element out of a list, and puts it in front of another list.",
        since: "1.2.0",
        arity: Arity::Exactly(3),
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
        }),
        args: &[Arg::key("source", 0), Arg::key("destination", 1)],
        ..FAMILY
    };
    type Parsed<'a> = Move<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Move::from_right_to_left(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !cmd.try_on(ctx)? {
            ctx.reply.null();
        }
        Ok(Flow::Done)
    }
}

/// An element is taken from one end and put to another.
#[derive(Clone, Copy)]
pub(super) struct Move<'a> {
    pub(super) source: &'a [u8],
    pub(super) destination: &'a [u8],
    pub(super) end: End,
    pub(super) to_end: End,
}

impl<'a> Move<'a> {
    /// Reads both keys and both ends.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Move<'a>, CmdError> {
        Ok(Move {
            source: args.required()?,
            destination: args.required()?,
            end: AtEnd::from_args(args)?.0,
            to_end: AtEnd::from_args(args)?.0,
        })
    }

    /// Reads both keys.
    pub(super) fn from_right_to_left(args: &mut Args<'a>) -> Result<Move<'a>, CmdError> {
        Ok(Move {
            source: args.required()?,
            destination: args.required()?,
            end: End::Right,
            to_end: End::Left,
        })
    }

    /// Moves the element and answers it. Does nothing and returns false if there is none.
    pub(super) fn try_on(self, ctx: &mut Ctx<'_>) -> Result<bool, CmdError> {
        let Move {
            source,
            destination,
            end,
            to_end,
        } = self;
        let Some(list) = ctx.store.get::<List>(source)? else {
            return Ok(false);
        };
        let is_last = list.len() == 1 && source != destination;
        reply_element(list.end(end), ctx.reply);
        ctx.store.get::<List>(destination)?;
        let change = list::ListChange::Move {
            end,
            to: destination,
            to_end,
        };
        let left = match is_last {
            true => list::events::Left::Nothing,
            false => list::events::Left::Some,
        };
        let event = list::events::moved(end, to_end, left);
        ctx.store.apply(&Effect::on(source, change), event);
        Ok(true)
    }
}
