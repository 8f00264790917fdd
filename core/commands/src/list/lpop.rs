//! `LPOP` and `RPOP`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Reply;
use values::{End, List};

use crate::element::reply_element;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "1.0.0",
    group: Group::List,
    complexity: "O(N) where N is the number of elements returned",
    arity: Arity::AtLeast(2),
    flags: Flags::FAST.and(Flags::WRITE),
    keys: &[KeySpec::at(
        1,
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
    )],
    history: &[("6.2.0", "A count.")],
    args: &[
        Arg::key("key", 0),
        Arg::integer("count").since("6.2.0").optional(),
    ],
    ..Spec::named("")
};

/// `LPOP key [count]`
pub(super) struct LPop;

impl Command for LPop {
    const SPEC: Spec = Spec {
        name: "lpop",
        summary: "Takes elements out at the left end of a list, and answers them.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, "lpop")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Left, ctx)
    }
}

/// `RPOP key [count]`
pub(super) struct RPop;

impl Command for RPop {
    const SPEC: Spec = Spec {
        name: "rpop",
        summary: "Takes elements out at the right end of a list, and answers them.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args, "rpop")
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Right, ctx)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    count: Option<usize>,
}

impl<'a> Parsed<'a> {
    fn parse(args: &mut Args<'a>, name: &str) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        if args.left() > 1 {
            return Err(CmdError::Arity(name.to_owned()));
        }
        let count = match args.next() {
            Some(count) => {
                let count = parse_i64(count).and_then(|count| usize::try_from(count).ok());
                Some(count.ok_or(CmdError::MustBePositive)?)
            }
            None => None,
        };
        Ok(Parsed { key, count })
    }

    fn pop(self, end: End, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { key, count } = self;
        let Some(list) = ctx.store.get::<List>(key)? else {
            match count {
                None => ctx.reply.null(),
                Some(_) => ctx.reply.null_array(),
            }
            return Ok(Flow::Done);
        };
        let len = list.len();
        let count = match count {
            None => {
                reply_element(list.end(end), ctx.reply);
                1
            }
            Some(count) => {
                let count = count.min(len);
                reply_ends(list, end, count, ctx.reply);
                count
            }
        };
        if count > 0 {
            let pop = Effect::on(key, list::ListChange::Pop { end, count });
            let left = list::events::Left::after(count, len);
            ctx.store.apply(&pop, list::events::pop(end, left));
        }
        Ok(Flow::Done)
    }
}

/// Answers so many elements from an end on, which are there, in the order in which they are taken
/// out.
pub(super) fn reply_ends(list: &List, end: End, count: usize, reply: &mut Reply) {
    reply.array(count);
    let mut all = list.range_at(end, count);
    let in_order = std::iter::from_fn(|| match end {
        End::Left => all.next(),
        End::Right => all.next_back(),
    });
    reply.each(in_order, |reply, element| {
        reply_element(Some(element), reply)
    });
}
