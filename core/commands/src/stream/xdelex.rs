//! `XDELEX`.

use std::collections::BTreeSet;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, StreamChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use stream::{References, Stream, StreamId};

use super::ids_block::{parse_ids, parse_ids_block};
use super::references_option::parse_references;

/// `XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id …]`
pub(super) struct XDelEx;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    /// Errors in here come after that of a wrong type.
    options: Result<Options<'a>, CmdError>,
}

struct Options<'a> {
    references: References,
    ids: Argv<'a>,
}

const NOT_FOUND: i64 = -1;
const DELETED: i64 = 1;
const STILL_REFERENCED: i64 = 2;

impl Command for XDelEx {
    const SPEC: Spec = Spec {
        summary: "Deletes entries, as far as the groups that refer to them allow, and answers for each.",
        since: "8.2.0",
        group: Group::Stream,
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        arity: Arity::AtLeast(5),
        flags: Flags::FAST.and(Flags::WRITE),
        frees: true,
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("keepref", "KEEPREF"),
                    Arg::word("delref", "DELREF"),
                    Arg::word("acked", "ACKED"),
                ],
            )
            .optional(),
            Arg::block(
                "ids",
                &[Arg::integer("numids"), Arg::string("id").multiple()],
            )
            .token("IDS"),
        ],
        ..Spec::named("xdelex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let key = args.required()?;
        let options = parse_options(args);
        args.rest();
        Ok(Parsed { key, options })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Ok(Options { references, ids }) = &cmd.options {
            ctx.store.prepare_stream(cmd.key, *references, |stream| {
                stream.groups_mut().expect_questions(ids.len());
            });
        }
        let found = ctx.store.get::<Stream>(cmd.key)?;
        let Options { references, ids } = cmd.options?;
        let Some(stream) = found else {
            ctx.reply.array(ids.len());
            ids.iter().for_each(|_| ctx.reply.int(NOT_FOUND));
            return Ok(Flow::Done);
        };
        let ids = parse_ids(ids)?;
        let (replies, deleted) = decide(stream, &ids, references);
        // Whether groups still need an entry is decided by now.
        let references = match references {
            References::Delete => References::Delete,
            References::Keep | References::Acknowledged => References::Keep,
        };
        if !deleted.is_empty() {
            let delete = StreamChange::Delete {
                ids: &deleted,
                references,
            };
            ctx.store.apply(&Effect::on(cmd.key, delete), event::XDEL);
        }
        ctx.reply.array(replies.len());
        replies.into_iter().for_each(|reply| ctx.reply.int(reply));
        Ok(Flow::Done)
    }
}

/// What is answered for each ID, and the IDs that have something to delete.
fn decide(stream: &Stream, ids: &[StreamId], references: References) -> (Vec<i64>, Vec<StreamId>) {
    let mut deleted = Vec::new();
    let mut seen = BTreeSet::new();
    let found = stream.entries().contain(ids);
    let decide = |(id, there): (StreamId, bool)| {
        // Whether a group is done with an ID can be asked of any ID, and is asked first.
        if references == References::Acknowledged && !stream.groups().acknowledged_by_all(id) {
            return STILL_REFERENCED;
        }
        if !seen.insert(id) {
            return NOT_FOUND;
        }
        if there || references == References::Delete && stream.groups().is_pending_anywhere(id) {
            deleted.push(id);
        }
        if there { DELETED } else { NOT_FOUND }
    };
    let replies = ids.iter().copied().zip(found).map(decide).collect();
    (replies, deleted)
}

fn parse_options<'a>(args: &mut Args<'a>) -> Result<Options<'a>, CmdError> {
    let mut references = None;
    let mut ids = None;
    while args.left() > 0 {
        if args.keyword("IDS") {
            ids = Some(parse_ids_block(args)?);
            continue;
        }
        let policy = parse_references(args).ok_or(CmdError::Syntax)?;
        if references.replace(policy).is_some() {
            return Err(CmdError::Syntax);
        }
    }
    Ok(Options {
        references: references.unwrap_or_default(),
        ids: ids.ok_or(CmdError::Syntax)?,
    })
}
