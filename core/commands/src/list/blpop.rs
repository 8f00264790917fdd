//! `BLPOP` and `BRPOP`.

use engine::args::Args;
use engine::clients::waiting::TimeoutReply;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::{End, List};

use crate::element::reply_element;
use crate::timeout::Timeout;
use crate::wait::wait_for;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "2.0.0",
    group: Group::List,
    complexity: "O(N) where N is the number of provided keys.",
    arity: Arity::AtLeast(3),
    flags: Flags::BLOCKING.and(Flags::WRITE),
    keys: &[KeySpec::range(
        1,
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
        -2,
        1,
        0,
    )],
    history: &[("6.0.0", "The timeout may have a fraction.")],
    args: &[Arg::key("key", 0).multiple(), Arg::double("timeout")],
    ..Spec::named("")
};

/// `BLPOP key [key …] timeout`
pub(super) struct BLPop;

impl Command for BLPop {
    const SPEC: Spec = Spec {
        name: "blpop",
        summary: "Takes the first element out of the first list that there is, or waits for one.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Left, ctx)
    }
}

/// `BRPOP key [key …] timeout`
pub(super) struct BRPop;

impl Command for BRPop {
    const SPEC: Spec = Spec {
        name: "brpop",
        summary: "Takes the last element out of the first list that there is, or waits for one.",
        ..FAMILY
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Parsed::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        cmd.pop(End::Right, ctx)
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
            let Some(list) = ctx.store.get::<List>(key)? else {
                continue;
            };
            let left = list::events::Left::after(1, list.len());
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            reply_element(list.end(end), ctx.reply);
            let pop = Effect::on(key, list::ListChange::Pop { end, count: 1 });
            ctx.store.apply(&pop, list::events::pop(end, left));
            return Ok(Flow::Done);
        }
        let Parsed {
            whole,
            keys,
            timeout,
        } = self;
        let on_timeout = TimeoutReply::NullArray;
        Ok(wait_for::<List>(
            keys.iter(),
            timeout,
            on_timeout,
            whole,
            ctx,
        ))
    }
}
