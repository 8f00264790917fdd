//! `LMPOP`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow, FromArgs};
use engine::error::CmdError;
use engine::store::effect::{Effect, list};
use engine::table::{Arg, Arity, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::{End, List};

use super::lpop::reply_ends;
use super::place::{AtEnd, ENDS};

/// `LMPOP numkeys key [key …] LEFT | RIGHT [COUNT count]`
pub(super) struct LMPop;

impl Command for LMPop {
    const SPEC: Spec = Spec {
        summary: "Takes elements out at an end of the first list that there is, and answers them.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        arity: Arity::AtLeast(4),
        flags: Flags::MOVABLE_KEYS.and(Flags::WRITE),
        keys: &[keys(1)],
        args: &[
            Arg::integer("numkeys"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", ENDS),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("lmpop")
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

/// The keys behind their number, which is at `index`.
pub(super) const fn keys(index: u8) -> KeySpec {
    let flags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE);
    KeySpec {
        find: FindKeys::KeyNum {
            count: 0,
            first: 1,
            step: 1,
        },
        ..KeySpec::at(index, flags)
    }
}

/// Elements are taken out of one of several lists.
pub(super) struct Pop<'a> {
    pub(super) keys: Argv<'a>,
    end: End,
    count: usize,
}

impl<'a> Pop<'a> {
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Pop<'a>, CmdError> {
        let numkeys = positive(args.required()?).ok_or(CmdError::NotPositive("numkeys"))?;
        // An end follows.
        if numkeys >= args.left() {
            return Err(CmdError::Syntax);
        }
        let keys = args.take(numkeys)?;
        let AtEnd(end) = AtEnd::from_args(args)?;
        let mut count = None;
        while args.left() > 0 {
            if count.is_some() || !args.keyword_with_value("COUNT") {
                return Err(CmdError::Syntax);
            }
            let text = args.required()?;
            count = Some(positive(text).ok_or(CmdError::NotPositive("count"))?);
        }
        let count = count.unwrap_or(1);
        Ok(Pop { keys, end, count })
    }

    /// Takes elements out of the first list that there is, and answers them. Does nothing and
    /// returns false if there is none.
    pub(super) fn try_on(&self, ctx: &mut Ctx<'_>) -> Result<bool, CmdError> {
        let end = self.end;
        for key in self.keys.iter() {
            let Some(list) = ctx.store.get::<List>(key)? else {
                continue;
            };
            let len = list.len();
            let count = self.count.min(len);
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            reply_ends(list, end, count, ctx.reply);
            let pop = Effect::on(key, list::ListChange::Pop { end, count });
            let left = list::events::Left::after(count, len);
            ctx.store.apply(&pop, list::events::pop(end, left));
            return Ok(true);
        }
        Ok(false)
    }
}

/// Reads a number of at least 1.
pub(super) fn positive(text: &[u8]) -> Option<usize> {
    let number = parse_i64(text).and_then(|number| usize::try_from(number).ok());
    number.filter(|number| *number > 0)
}
