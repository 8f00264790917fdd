//! `LPUSH`, `RPUSH`, `LPUSHX` and `RPUSHX`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::{End, List};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "1.0.0",
    group: Group::List,
    complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
    arity: Arity::AtLeast(3),
    flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
    keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
    history: &[("2.4.0", "Several elements.")],
    args: &[Arg::key("key", 0), Arg::string("element").multiple()],
    ..Spec::named("")
};

/// What the rows of those have in common that need a list.
const FAMILY_X: Spec = Spec {
    since: "2.2.0",
    history: &[("4.0.0", "Several elements.")],
    ..FAMILY
};

/// `LPUSH key element [element …]`
pub(super) struct LPush;

impl PlainCommand for LPush {
    const SPEC: Spec = Spec {
        name: "lpush",
        summary: "Puts elements in at the left end of a list.",
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, elements): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        push(End::Left, Missing::IsMade, key, elements, ctx)
    }
}

/// `RPUSH key element [element …]`
pub(super) struct RPush;

impl PlainCommand for RPush {
    const SPEC: Spec = Spec {
        name: "rpush",
        summary: "Puts elements in at the right end of a list.",
        ..FAMILY
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, elements): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        push(End::Right, Missing::IsMade, key, elements, ctx)
    }
}

/// `LPUSHX key element [element …]`
pub(super) struct LPushX;

impl PlainCommand for LPushX {
    const SPEC: Spec = Spec {
        name: "lpushx",
        summary: "Puts elements in at the left end of a list, if there is one.",
        ..FAMILY_X
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, elements): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        push(End::Left, Missing::Stays, key, elements, ctx)
    }
}

/// `RPUSHX key element [element …]`
pub(super) struct RPushX;

impl PlainCommand for RPushX {
    const SPEC: Spec = Spec {
        name: "rpushx",
        summary: "Puts elements in at the right end of a list, if there is one.",
        ..FAMILY_X
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, elements): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        push(End::Right, Missing::Stays, key, elements, ctx)
    }
}

/// What becomes of a list that is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    IsMade,
    Stays,
}

fn push(
    end: End,
    missing: Missing,
    key: &[u8],
    elements: Argv<'_>,
    ctx: &mut Ctx<'_>,
) -> Result<Flow, CmdError> {
    let list = ctx.store.get::<List>(key)?;
    if list.is_none() && missing == Missing::Stays {
        ctx.reply.int(0);
        return Ok(Flow::Done);
    }
    let before = list.map_or(0, List::len);
    let push = Effect::on(key, list::ListChange::Push { end, elements });
    ctx.store.apply(&push, list::events::push(end));
    ctx.reply.count(before + elements.len());
    Ok(Flow::Done)
}
