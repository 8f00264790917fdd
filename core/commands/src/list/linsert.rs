//! `LINSERT`.

use collections::Element;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::List;

/// `LINSERT key BEFORE | AFTER pivot element`
pub(super) struct LInsert;

impl Command for LInsert {
    const SPEC: Spec = Spec {
        summary: "Puts an element in beside another one.",
        since: "2.2.0",
        group: Group::List,
        complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
        arity: Arity::Exactly(5),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "where",
                &[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")],
            ),
            Arg::string("pivot"),
            Arg::string("element"),
        ],
        ..Spec::named("linsert")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let side = if args.keyword("BEFORE") {
            list::Side::Before
        } else if args.keyword("AFTER") {
            list::Side::After
        } else {
            return Err(CmdError::Syntax);
        };
        Ok(Parsed {
            key,
            side,
            pivot: args.required()?,
            element: args.required()?,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed {
            key,
            side,
            pivot,
            element,
        } = cmd;
        let Some(list) = ctx.store.get::<List>(key)? else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let sought = Element::of(pivot);
        let Some(index) = list.iter().position(|it| it == sought) else {
            ctx.reply.int(-1);
            return Ok(Flow::Done);
        };
        let len = list.len();
        let insert = list::ListChange::Insert {
            side,
            pivot,
            index,
            element,
        };
        ctx.store
            .apply(&Effect::on(key, insert), list::events::LINSERT);
        ctx.reply.count(len + 1);
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    side: list::Side,
    pivot: &'a [u8],
    element: &'a [u8],
}
