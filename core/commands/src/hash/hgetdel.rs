//! `HGETDEL`.

use collections::Places;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::hash;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, Reply};
use values::Fields;

use super::field_list::{FIELDS, KeyAndFields};
use super::hdel::delete;
use crate::element::reply_element;

/// `HGETDEL key FIELDS numfields field [field …]`
pub(super) struct HGetDel;

impl Command for HGetDel {
    const SPEC: Spec = Spec {
        summary: "Answers the values of fields of a hash, and deletes the fields.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of specified fields",
        arity: Arity::AtLeast(5),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
        )],
        args: &[Arg::key("key", 0), FIELDS],
        ..Spec::named("hgetdel")
    };
    type Parsed<'a> = KeyAndFields<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        KeyAndFields::parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let KeyAndFields { key, fields } = cmd;
        ctx.store.fields(key)?;
        let fields = fields?;
        let all = ctx.store.fields_named(key, fields.iter())?;
        let all = all.unwrap_or(Fields::NONE);
        let deleted = reply_once(all, fields, ctx.reply);
        if !deleted.is_empty() {
            let fields = deleted.as_slice();
            delete(key, hash::HashChange::DeleteEach { fields }, ctx);
        }
        Ok(Flow::Done)
    }
}

/// Answers the values of fields that are about to go: each once, since it is gone when it comes
/// again. Returns the fields that there are.
pub(super) fn reply_once<'a>(
    all: Fields<'_>,
    fields: Argv<'a>,
    reply: &mut Reply,
) -> Vec<&'a [u8]> {
    reply.array(fields.len());
    let mut known = Places::default();
    let mut deleted = Vec::with_capacity(fields.len().min(all.stored_len()));
    all.find_each(fields.iter(), |field, found| {
        let first = found.filter(|it| fields.len() == 1 || known.insert(it.place()));
        if first.is_some() {
            deleted.push(field);
        }
        reply_element(first.map(|it| it.value()), reply);
    });
    deleted
}
