//! `HGETEX`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Fields;

use super::field_list::FIELDS;
use super::hdel::delete;
use super::hgetdel::reply_once;
use super::options::{EXPIRATION, Expiration, Options};
use crate::element::reply_element;

/// `HGETEX key [EX | PX | EXAT | PXAT | PERSIST] FIELDS numfields field [field …]`
pub(super) struct HGetEx;

impl Command for HGetEx {
    const SPEC: Spec = Spec {
        summary: "Answers the values of fields of a hash, and changes when the fields expire.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of specified fields",
        arity: Arity::AtLeast(5),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE)).noted("")],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "expiration",
                &[
                    EXPIRATION[0],
                    EXPIRATION[1],
                    EXPIRATION[2],
                    EXPIRATION[3],
                    Arg::word("persist", "PERSIST"),
                ],
            )
            .optional(),
            FIELDS,
        ],
        ..Spec::named("hgetex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let options = Options::of_get(args.rest());
        Ok(Parsed { key, options })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let key = cmd.key;
        ctx.store.fields(key)?;
        let at = cmd.options.deadline_ms(ctx.now, "hgetex")?;
        let (named, expiration) = cmd.options.checked()?;
        let is_past = at.is_some_and(|at| at <= ctx.store.over_ms());
        let all = ctx.store.fields_named(key, named.iter())?;
        let all = all.unwrap_or(Fields::NONE);
        if is_past {
            let deleted = reply_once(all, named, ctx.reply);
            if !deleted.is_empty() {
                let fields = deleted.as_slice();
                delete(key, hash::HashChange::DeleteEach { fields }, ctx);
            }
            return Ok(Flow::Done);
        }
        let persists = expiration == Some(Expiration::Persist);
        let mut changed: Vec<&[u8]> = Vec::with_capacity(named.len().min(all.stored_len()));
        ctx.reply.array(named.len());
        all.find_each(named.iter(), |field, found| {
            let is_changed =
                at.is_some() || persists && found.is_some_and(|it| it.date().is_some());
            if found.is_some() && is_changed {
                changed.push(field);
            }
            reply_element(found.map(|entry| entry.value()), ctx.reply);
        });
        let fields = changed.as_slice();
        if let Some(at) = at.filter(|_| !fields.is_empty()) {
            let expire = Effect::on(key, hash::HashChange::ExpireAt { fields, at });
            ctx.store.apply(&expire, hash::events::HEXPIRE);
        } else if !fields.is_empty() {
            let persist = Effect::on(key, hash::HashChange::Persist { fields });
            ctx.store.apply(&persist, hash::events::HPERSIST);
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    options: Options<'a>,
}
