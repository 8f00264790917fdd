//! `BLMOVE` and `BRPOPLPUSH`.

use engine::args::Args;
use engine::clients::waiting::TimeoutReply;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Deprecated, Flags, Group, Spec};
use resp::Argv;
use values::List;

use super::lmove::{KEYS, Move};
use super::place::ENDS;
use crate::timeout::Timeout;
use crate::wait::wait_for;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::List,
    complexity: "O(1)",
    flags: Flags::BLOCKING.and(Flags::DENY_OOM).and(Flags::WRITE),
    keys: KEYS,
    ..Spec::named("")
};

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`
pub(super) struct BLMove;

impl Command for BLMove {
    const SPEC: Spec = Spec {
        name: "blmove",
        summary: "Takes an element out at an end of a list, or waits for one, and puts it in at an end of another.",
        since: "6.2.0",
        arity: Arity::Exactly(6),
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of("wherefrom", ENDS),
            Arg::one_of("whereto", ENDS),
            Arg::double("timeout"),
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, Move::parse)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

/// `BRPOPLPUSH source destination timeout`
pub(super) struct BRPopLPush;

impl Command for BRPopLPush {
    const SPEC: Spec = Spec {
        name: "brpoplpush",
        summary: "Takes the last element out of a list, or waits for one, and puts it in front of another list.",
        since: "2.2.0",
        arity: Arity::Exactly(4),
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
        }),
        history: &[("6.0.0", "The timeout may have a fraction.")],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::double("timeout"),
        ],
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, Move::from_right_to_left)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.execute(ctx)
    }
}

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    moved: Move<'a>,
    timeout: Timeout,
}

impl<'a> Parsed<'a> {
    fn parse(
        args: &mut Args<'a>,
        parse: impl FnOnce(&mut Args<'a>) -> Result<Move<'a>, CmdError>,
    ) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            whole: args.whole(),
            moved: parse(args)?,
            timeout: Timeout::of_seconds(args.required()?)?,
        })
    }

    fn execute(self, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if self.moved.try_on(ctx)? {
            return Ok(Flow::Done);
        }
        let keys = std::iter::once(self.moved.source);
        let on_timeout = TimeoutReply::Null;
        Ok(wait_for::<List>(
            keys,
            self.timeout,
            on_timeout,
            self.whole,
            ctx,
        ))
    }
}
