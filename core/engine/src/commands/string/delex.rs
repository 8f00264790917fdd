//! `DELEX`.

use super::condition::Condition;

use crate::args::Args;
use crate::ctx::Ctx;
use crate::effect::{DeleteCause, Effect};
use crate::error::CmdError;
use crate::table::{Arg, Arity, Command, Flags, Flow, Group, KeyFlags, KeySpec, Spec};

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
    type Parsed<'a> = (&'a [u8], Option<Condition<'a>>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let condition = Condition::parse(args)?;
        if condition.is_none() && args.left() > 0 {
            return Err(match args.left() {
                1 => CmdError::Arity("delex".to_owned()),
                _ => CmdError::InvalidCondition,
            });
        }
        Ok((key, condition))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, condition) = cmd;
        let met = match condition {
            None => ctx.tx.record(key).is_some(),
            Some(condition) => match ctx.tx.value(key) {
                None => false,
                Some(values::Value::String(string)) => condition.holds(string)?,
                Some(_) => return Err(CmdError::ConditionNeedsString),
            },
        };
        if met {
            let cause = DeleteCause::Command;
            ctx.tx.apply(&Effect::Delete { key, cause });
        }
        ctx.reply.int(i64::from(met));
        Ok(Flow::Done)
    }
}
