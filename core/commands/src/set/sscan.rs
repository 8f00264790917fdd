//! `SSCAN`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Set;

use crate::cursor::{Options, parse_cursor, reply_step};
use crate::element::reply_element;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) struct SScan;

impl Command for SScan {
    const SPEC: Spec = Spec {
        summary: "Iterates over the members of a set, a few at a time.",
        since: "2.8.0",
        group: Group::Set,
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        tips: &["nondeterministic_output"],
        args: &[
            Arg::key("key", 0),
            Arg::integer("cursor"),
            Arg::pattern("pattern").token("MATCH").optional(),
            Arg::integer("count").token("COUNT").optional(),
        ],
        ..Spec::named("sscan")
    };
    type Parsed<'a> = (&'a [u8], u64, Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let cursor = parse_cursor(args.required()?).ok_or(CmdError::InvalidCursor)?;
        Ok((key, cursor, args.rest()))
    }

    /// The options are read once there is a set: without one, they may be anything.
    fn execute(
        (key, cursor, options): Self::Parsed<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<Flow, CmdError> {
        let found = ctx.store.get::<Set>(key)?;
        let options = match found {
            Some(_) => Options::parse(options, false)?,
            None => Options::default(),
        };
        let set = found.unwrap_or(&NONE);
        let step = (cursor, options.count);
        reply_step(ctx.reply, step, |reply, from, looks, len| {
            set.scan(from, looks, |member| {
                if member.with_bytes(|it| options.wants(it)) {
                    reply_element(Some(member), reply);
                    *len += 1;
                }
            })
        });
        Ok(Flow::Done)
    }
}

/// A set that is missing has no members.
static NONE: Set = Set::new();
