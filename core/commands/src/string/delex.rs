//! `DELEX`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::condition::{Condition, compares};

/// `DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]`
pub(super) struct DelEx;

impl Command for DelEx {
    const SPEC: Spec = Spec {
        summary: "Deletes a key if its string fulfils a condition.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW
                .and(KeyFlags::DELETE)
                .and(KeyFlags::VARIABLE_FLAGS),
        )],
        key_flags: Some(|request| {
            if compares(request) {
                KeyFlags::RW.and(KeyFlags::DELETE)
            } else {
                KeyFlags::RM.and(KeyFlags::DELETE)
            }
        }),
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "condition",
                &[
                    Arg::string("ifeq-value").token("IFEQ"),
                    Arg::string("ifne-value").token("IFNE"),
                    Arg::integer("ifdeq-digest").token("IFDEQ"),
                    Arg::integer("ifdne-digest").token("IFDNE"),
                ],
            )
            .optional(),
        ],
        ..Spec::named("delex")
    };
    type Parsed<'a> = (&'a [u8], When<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let when = match args.left() {
            0 => When::Always,
            2 => Condition::parse(args)?.map_or(When::Unknown, When::Holds),
            _ => return Err(CmdError::Arity("delex".to_owned())),
        };
        if matches!(when, When::Unknown) {
            args.rest();
        }
        Ok((key, when))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, when) = cmd;
        let store = match when {
            When::Always => &mut ctx.store,
            When::Holds(_) | When::Unknown => ctx.store.reading(),
        };
        let found = store.value(key);
        let needs_string = CmdError::ConditionNeedsString;
        let string = found.map(|value| value.get::<StringValue>().ok_or(needs_string));
        let met = match (when, string) {
            (_, None) => false,
            (When::Always, Some(_)) => true,
            (When::Holds(condition), Some(string)) => condition.holds(string?)?,
            (When::Unknown, Some(string)) => {
                return Err(string.err().unwrap_or(CmdError::InvalidCondition));
            }
        };
        if met {
            ctx.store
                .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
        }
        ctx.reply.int(i64::from(met));
        Ok(Flow::Done)
    }
}

/// When the key is deleted.
pub(super) enum When<'a> {
    Always,
    /// Its string fulfils this.
    Holds(Condition<'a>),
    /// The condition does not exist: an error, unless the key is missing.
    Unknown,
}
