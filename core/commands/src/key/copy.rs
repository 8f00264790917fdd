//! `COPY`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};

use super::database::parse_database;

/// `COPY source destination [DB destination-db] [REPLACE]`
pub(super) struct Copy;

impl Command for Copy {
    const SPEC: Spec = Spec {
        summary: "Copies the value of a key to another one.",
        since: "6.2.0",
        group: Group::Generic,
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
        arity: Arity::AtLeast(3),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS)),
            KeySpec::at(2, KeyFlags::OW.and(KeyFlags::UPDATE)),
        ],
        args: &[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::integer("destination-db").token("DB").optional(),
            Arg::word("replace", "REPLACE").optional(),
        ],
        ..Spec::named("copy")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let (key, to) = (args.required()?, args.required()?);
        let mut database = None;
        let mut replace = false;
        while args.left() > 0 {
            if args.keyword("REPLACE") {
                replace = true;
            } else if args.keyword_with_value("DB") {
                database = Some(args.integer()?);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(Parsed {
            key,
            to,
            database,
            replace,
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { key, to, .. } = cmd;
        let here = ctx.store.database;
        let to_db = match cmd.database {
            Some(database) => parse_database(database, ctx)?,
            None => here,
        };
        if key == to && to_db == here {
            return Err(CmdError::SameObject);
        }
        let free = ctx.store.reading().peek(key).is_some()
            && (cmd.replace || !ctx.store.exists_in(to_db, to));
        if free {
            let copy = Effect::on(key, KeyChange::Copy { to, to_db });
            ctx.store.apply(&copy, event::COPY);
        }
        ctx.reply.int(i64::from(free));
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    to: &'a [u8],
    database: Option<i64>,
    replace: bool,
}
