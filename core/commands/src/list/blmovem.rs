//! `BLMOVEM` (8.10): elements move together once there are enough. Source: the documentation of
//! Redis 8.10.

use engine::args::Args;
use engine::clients::waiting::{Enough, TimeoutReply};
use engine::command::{Command, Ctx, Flow, FromArgs};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::Argv;
use values::List;

use super::lmove::{KEYS, Move};
use super::lmovem::{COMPLEXITY, HOW_MANY, HowMany, MoveMany};
use super::place::ENDS;
use crate::timeout::Timeout;
use crate::wait::wait_for_enough;

/// `BLMOVEM source destination LEFT | RIGHT LEFT | RIGHT timeout
/// [COUNT count | EXACTLY exactly OBO | BULK]`
pub(super) struct BLMoveM;

impl Command for BLMoveM {
    const SPEC: Spec = Spec {
        summary: "Takes elements out at an end of a list, or waits for them, and puts them in at an end of another.",
        since: "8.10.0",
        group: Group::List,
        complexity: COMPLEXITY,
        arity: Arity::AtLeast(6),
        flags: Flags::BLOCKING.and(Flags::DENY_OOM).and(Flags::WRITE),
        keys: KEYS,
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of("wherefrom", ENDS),
            Arg::one_of("whereto", ENDS),
            Arg::double("timeout"),
            HOW_MANY,
        ],
        ..Spec::named("blmovem")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let whole = args.whole();
        let moved = Move::parse(args)?;
        let timeout = args.required()?;
        // What is wrong with the rest is told first.
        let how_many = HowMany::from_args(args)?;
        Ok(Parsed {
            whole,
            moves: MoveMany { moved, how_many },
            timeout: Timeout::of_seconds(timeout)?,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.moves.try_on(ctx)? {
            return Ok(Flow::Done);
        }
        Ok(wait_for_enough(
            std::iter::once(cmd.moves.moved.source),
            Enough::of::<List>(cmd.moves.how_many.needed()),
            cmd.timeout,
            TimeoutReply::NullArray,
            cmd.whole,
            ctx,
        ))
    }
}

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    moves: MoveMany<'a>,
    timeout: Timeout,
}
