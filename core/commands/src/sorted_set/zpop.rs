//! `ZPOPMIN`, `ZPOPMAX` and `ZMPOP`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeySpec, Seeks, Spec};
use resp::Reply;

use super::pop::{End, Form, KEY_FLAGS, KEYS_AND_END, Pop, counted_keys, form_of_many, pop};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "5.0.0",
    group: Group::SortedSet,
    complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
    arity: Arity::AtLeast(2),
    flags: Flags::FAST.and(Flags::WRITE),
    keys: &[KeySpec::at(1, KEY_FLAGS)],
    args: &[Arg::key("key", 0), Arg::integer("count").optional()],
    ..Spec::named("")
};

/// `ZPOPMIN key [count]`
pub(super) struct ZPopMin;

impl Command for ZPopMin {
    const SPEC: Spec = Spec {
        name: "zpopmin",
        seeks: Seeks::Lowest,
        summary: "Takes the members with the lowest scores out of a sorted set, and answers them.",
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Option<usize>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, End::Lowest, ctx)
    }
}

/// `ZPOPMAX key [count]`
pub(super) struct ZPopMax;

impl Command for ZPopMax {
    const SPEC: Spec = Spec {
        name: "zpopmax",
        summary: "Takes the members with the highest scores out of a sorted set, and answers them.",
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Option<usize>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(cmd, End::Highest, ctx)
    }
}

fn parse<'a>(args: &mut Args<'a>) -> Result<(&'a [u8], Option<usize>), CmdError> {
    let key = args.required()?;
    if args.left() > 1 {
        return Err(CmdError::Syntax);
    }
    let count = args.next().map(|text| {
        let count = parse_i64(text).and_then(|count| usize::try_from(count).ok());
        count.ok_or(CmdError::MustBePositive)
    });
    Ok((key, count.transpose()?))
}

fn execute(
    (key, count): (&[u8], Option<usize>),
    end: End,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let form = match count {
        Some(_) => form_of_many(ctx.reply),
        None => Form::Flat,
    };
    let begin = |reply: &mut Reply, len: usize| {
        reply.array(if form == Form::Flat { 2 * len } else { len });
    };
    if !pop(key, end, count.unwrap_or(1), form, ctx, begin)? {
        ctx.reply.array(0);
    }
    Ok(Flow::Done)
}

/// `ZMPOP numkeys key [key …] MIN | MAX [COUNT count]`
pub(super) struct ZMPop;

impl Command for ZMPop {
    const SPEC: Spec = Spec {
        summary: "Takes members at an end out of the first sorted set that there is, and answers them.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        arity: Arity::AtLeast(4),
        flags: Flags::MOVABLE_KEYS.and(Flags::WRITE),
        keys: &[counted_keys(1)],
        args: &KEYS_AND_END,
        ..Spec::named("zmpop")
    };
    type Parsed<'a> = Pop<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Pop::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !cmd.try_on(ctx)? {
            ctx.reply.null_array();
        }
        Ok(Flow::Done)
    }
}
