//! `BLMPOP`.

use engine::args::Args;
use engine::clients::waiting::TimeoutReply;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::Argv;
use values::List;

use super::lmpop::{Pop, keys};
use super::place::ENDS;
use crate::timeout::Timeout;
use crate::wait::wait_for;

/// `BLMPOP timeout numkeys key [key …] LEFT | RIGHT [COUNT count]`
pub(super) struct BLMPop;

impl Command for BLMPop {
    const SPEC: Spec = Spec {
        summary: "Takes elements out at an end of the first list that there is, or waits for one.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        arity: Arity::AtLeast(5),
        flags: Flags::BLOCKING.and(Flags::MOVABLE_KEYS).and(Flags::WRITE),
        keys: &[keys(2)],
        args: &[
            Arg::double("timeout"),
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", ENDS),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("blmpop")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let timeout = args.required()?;
        // What is wrong with the rest is told first.
        let pop = Pop::parse(args)?;
        Ok(Parsed {
            whole: args.whole(),
            timeout: Timeout::of_seconds(timeout)?,
            pop,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.pop.try_on(ctx)? {
            return Ok(Flow::Done);
        }
        let keys = cmd.pop.keys.iter();
        let on_timeout = TimeoutReply::NullArray;
        Ok(wait_for::<List>(
            keys,
            cmd.timeout,
            on_timeout,
            cmd.whole,
            ctx,
        ))
    }
}

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    timeout: Timeout,
    pop: Pop<'a>,
}
