//! `BZPOPMIN`, `BZPOPMAX` and `BZMPOP`.

use engine::args::Args;
use engine::clients::waiting::TimeoutReply;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeySpec, Spec};
use resp::{Argv, Reply};
use values::SortedSet;

use super::pop::{End, Form, KEY_FLAGS, KEYS_AND_END, Pop, counted_keys, pop};
use crate::timeout::Timeout;
use crate::wait::wait_for;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "5.0.0",
    group: Group::SortedSet,
    complexity: "O(log(N)) with N being the number of elements in the sorted set.",
    arity: Arity::AtLeast(3),
    flags: Flags::BLOCKING.and(Flags::FAST).and(Flags::WRITE),
    keys: &[KeySpec::range(1, KEY_FLAGS, -2, 1, 0)],
    history: &[("6.0.0", "The timeout may have a fraction.")],
    args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
    ..Spec::named("")
};

/// `BZPOPMIN key [key …] timeout`
pub(super) struct BZPopMin;

impl Command for BZPopMin {
    const SPEC: Spec = Spec {
        name: "bzpopmin",
        summary: "Takes the member with the lowest score out of the first sorted set that there is, or waits for one.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Lowest, ctx)
    }
}

/// `BZPOPMAX key [key …] timeout`
pub(super) struct BZPopMax;

impl Command for BZPopMax {
    const SPEC: Spec = Spec {
        name: "bzpopmax",
        summary: "Takes the member with the highest score out of the first sorted set that there is, or waits for one.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Highest, ctx)
    }
}

pub(super) struct Parsed<'a> {
    whole: Argv<'a>,
    keys: Argv<'a>,
    timeout: Timeout,
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        Ok(Parsed {
            whole: args.whole(),
            keys: args.take(args.left().saturating_sub(1))?,
            timeout: Timeout::of_seconds(args.required()?)?,
        })
    }

    fn pop(self, end: End, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        for key in self.keys.iter() {
            let begin = |reply: &mut Reply, _: usize| {
                reply.array(3);
                reply.bulk(key);
            };
            if pop(key, end, 1, Form::Flat, ctx, begin)? {
                return Ok(Flow::Done);
            }
        }
        let (keys, on_timeout) = (self.keys.iter(), TimeoutReply::NullArray);
        Ok(wait_for::<SortedSet>(
            keys,
            self.timeout,
            on_timeout,
            self.whole,
            ctx,
        ))
    }
}

/// `BZMPOP timeout numkeys key [key …] MIN | MAX [COUNT count]`
pub(super) struct BZMPop;

impl Command for BZMPop {
    const SPEC: Spec = Spec {
        summary: "Takes members at an end out of the first sorted set that there is, or waits for one.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        arity: Arity::AtLeast(5),
        flags: Flags::BLOCKING.and(Flags::MOVABLE_KEYS).and(Flags::WRITE),
        keys: &[counted_keys(2)],
        args: &{
            let [numkeys, key, end, count] = KEYS_AND_END;
            [Arg::double("timeout"), numkeys, key, end, count]
        },
        ..Spec::named("bzmpop")
    };
    type Parsed<'a> = ParsedMany<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let timeout = args.required()?;
        // What is wrong with the rest is told first.
        let pop = Pop::parse(args)?;
        Ok(ParsedMany {
            whole: args.whole(),
            timeout: Timeout::of_seconds(timeout)?,
            pop,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.pop.try_on(ctx)? {
            return Ok(Flow::Done);
        }
        let (keys, on_timeout) = (cmd.pop.keys.iter(), TimeoutReply::NullArray);
        Ok(wait_for::<SortedSet>(
            keys,
            cmd.timeout,
            on_timeout,
            cmd.whole,
            ctx,
        ))
    }
}

pub(super) struct ParsedMany<'a> {
    whole: Argv<'a>,
    timeout: Timeout,
    pop: Pop<'a>,
}
