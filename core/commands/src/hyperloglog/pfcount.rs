//! `PFCOUNT`.

use collections::Places;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::Writes;
use engine::store::effect::hyperloglog::events;
use engine::store::effect::{Effect, StringChange};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::StringValue;
use values::hyperloglog::{ESTIMATE_OFFSET, Form, HyperLogLog, Registers};

use super::place;

/// `PFCOUNT key [key …]`
pub(super) struct PfCount;

impl PlainCommand for PfCount {
    const SPEC: Spec = Spec {
        name: "pfcount",
        summary: "Estimates how many different elements were added to HyperLogLogs.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[
            KeySpec::range(1, KeyFlags::RW.and(KeyFlags::ACCESS), -1, 1, 0)
                .noted("RW because the estimate is kept in the string"),
        ],
        args: &[Arg::key("key", 0).multiple()],
        ..Spec::named("")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let estimate = match keys.get(0) {
            Some(key) if keys.len() == 1 => of_one(key, ctx)?,
            Some(_) | None => of_several(keys, ctx)?,
        };
        ctx.reply.int(i64::try_from(estimate).unwrap_or(i64::MAX));
        Ok(Flow::Done)
    }
}

fn of_one(key: &[u8], ctx: &mut Ctx<'_>) -> Result<u64, CmdError> {
    let Some(string) = ctx.store.get::<StringValue>(key)? else {
        return Ok(0);
    };
    let estimate = string.with_bytes(|bytes| {
        let found = HyperLogLog::of(bytes)?;
        match found.kept_estimate() {
            Some(kept) => Ok::<_, CmdError>(Err(kept)),
            None => Ok(Ok(found.estimate()?)),
        }
    })?;
    let estimate = match estimate {
        Ok(estimate) => estimate,
        Err(kept) => return Ok(kept),
    };
    // Whatever can be read again need not be written.
    if ctx.store.may_write_by_the_way() && ctx.server.writes == Writes::Accepted {
        let keep = StringChange::SetRange {
            offset: ESTIMATE_OFFSET as u32,
            value: &estimate.to_le_bytes(),
        };
        ctx.store.apply(&Effect::on(key, keep), events::ESTIMATED);
    }
    Ok(estimate)
}

fn of_several(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<u64, CmdError> {
    let (mut registers, mut known) = (Registers::new(), Places::default());
    for key in keys {
        if let Some(string) = ctx.store.get::<StringValue>(key)? {
            string.with_bytes(|bytes| {
                let found = HyperLogLog::of(bytes)?;
                match found.form() == Form::Dense && !known.insert(place(bytes)) {
                    true => Ok(()),
                    false => found.merge_into(&mut registers),
                }
            })?;
        }
    }
    Ok(registers.estimate())
}
