//! `HSETEX`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, hash};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::Fields;

use super::hdel::delete;
use super::options::{Condition, EXPIRATION, Expiration, Options};

/// `HSETEX key [FNX | FXX] [EX | PX | EXAT | PXAT | KEEPTTL] FIELDS numfields field value [field
/// value …]`
pub(super) struct HSetEx;

impl Command for HSetEx {
    const SPEC: Spec = Spec {
        summary: "Sets fields of a hash, and when they expire.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields being set.",
        arity: Arity::AtLeast(6),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "condition",
                &[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")],
            )
            .optional(),
            Arg::one_of(
                "expiration",
                &[
                    EXPIRATION[0],
                    EXPIRATION[1],
                    EXPIRATION[2],
                    EXPIRATION[3],
                    Arg::word("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
            Arg::block(
                "fields",
                &[
                    Arg::integer("numfields"),
                    Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
                ],
            )
            .token("FIELDS"),
        ],
        compat: Compat::Differs(
            "`KEEPTTL` gives a field whose time is over, but which is still there, the new value and \
             no deadline. Redis answers 1 and keeps the deadline, so that the value is lost.",
        ),
        ..Spec::named("hsetex")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let options = Options::of_set(args.rest());
        Ok(Parsed { key, options })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, condition) = (cmd.key, cmd.options.condition);
        let at = cmd.options.deadline_ms(ctx.now, "hsetex")?;
        let (pairs, expiration) = cmd.options.checked()?;
        let named = || pairs.iter().step_by(2);
        let all = ctx.store.fields_named(key, named())?;
        let all = all.unwrap_or(Fields::NONE);
        let is_met = match condition {
            None => true,
            Some(Condition::NoneThere) => all.all(named(), |found| found.is_none()),
            Some(Condition::AllThere) => all.all(named(), |found| found.is_some()),
        };
        ctx.reply.int(i64::from(is_met));
        if !is_met {
            return Ok(Flow::Done);
        }
        match at {
            Some(at) if at <= ctx.store.over_ms() => {
                let set = Effect::on(key, hash::HashChange::Set { pairs });
                ctx.store.apply(&set, hash::events::HSET);
                let fields: Vec<&[u8]> = named().collect();
                let fields = fields.as_slice();
                delete(key, hash::HashChange::DeleteEach { fields }, ctx);
            }
            Some(at) => {
                let set = Effect::on(key, hash::HashChange::SetUntil { pairs, at });
                ctx.store.apply(&set, hash::events::HSET_UNTIL);
            }
            None if expiration == Some(Expiration::Keep) => {
                let set = Effect::on(key, hash::HashChange::SetKeeping { pairs });
                ctx.store.apply(&set, hash::events::HSET);
            }
            None => {
                let set = Effect::on(key, hash::HashChange::Set { pairs });
                ctx.store.apply(&set, hash::events::HSET);
            }
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    options: Options<'a>,
}
