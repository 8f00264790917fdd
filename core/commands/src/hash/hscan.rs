//! `HSCAN`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Fields;

use crate::cursor::{Options, parse_cursor, reply_step};
use crate::element::reply_element;

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub(super) struct HScan;

impl Command for HScan {
    const SPEC: Spec = Spec {
        summary: "Iterates over the fields of a hash, a few at a time.",
        since: "2.8.0",
        group: Group::Hash,
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
            Arg::word("novalues", "NOVALUES").optional(),
        ],
        ..Spec::named("hscan")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let cursor = parse_cursor(args.required()?).ok_or(CmdError::InvalidCursor)?;
        let options = args.rest();
        Ok(Parsed {
            key,
            cursor,
            options,
        })
    }

    /// The options are read once there is a hash: without one, they may be anything.
    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let found = ctx.store.fields(cmd.key)?;
        let options = match found {
            Some(_) => Options::parse(cmd.options, true)?,
            None => Options::default(),
        };
        let fields = found.unwrap_or(Fields::NONE);
        let step = (cmd.cursor, options.count);
        reply_step(ctx.reply, step, |reply, from, looks, len| {
            fields.scan(from, looks, |entry| {
                if entry.name().with_bytes(|name| options.wants(name)) {
                    reply_element(Some(entry.name()), reply);
                    *len += 1;
                    if !options.names_only {
                        reply_element(Some(entry.value()), reply);
                        *len += 1;
                    }
                }
            })
        });
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    cursor: u64,
    options: Argv<'a>,
}
