//! `PFMERGE`.

use collections::Places;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::hyperloglog::events;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::StringValue;
use values::hyperloglog::{self, Fault, Form, HyperLogLog, Registers};

use super::place;

/// `PFMERGE destkey [sourcekey …]`
pub(super) struct PfMerge;

impl PlainCommand for PfMerge {
    const SPEC: Spec = Spec {
        name: "pfmerge",
        summary: "Adds to a HyperLogLog all that was added to others.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
        arity: Arity::AtLeast(2),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::INSERT)),
            KeySpec::range(2, KeyFlags::RO.and(KeyFlags::ACCESS), -1, 1, 0),
        ],
        args: &[
            Arg::key("destkey", 0),
            Arg::key("sourcekey", 1).optional().multiple(),
        ],
        ..Spec::named("")
    };
    type Args<'a> = Argv<'a>;

    fn execute(keys: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let to = keys.get(0).unwrap_or_default();
        let (mut registers, mut form) = (Registers::new(), Form::Sparse);
        let mut known = Places::default();
        for key in keys {
            let Some(string) = ctx.store.reading().get::<StringValue>(key)? else {
                continue;
            };
            string.with_bytes(|bytes| {
                let found = HyperLogLog::of(bytes)?;
                if found.form() == Form::Dense {
                    form = Form::Dense;
                    if !known.insert(place(bytes)) {
                        return Ok(());
                    }
                }
                found.merge_into(&mut registers)
            })?;
        }
        let old = ctx.store.get::<StringValue>(to)?.cloned();
        let mut new = match &old {
            Some(old) => old.to_vec(),
            None => hyperloglog::empty(),
        };
        merge(&mut new, form, &registers, ctx)?;
        super::replace(to, old.as_ref(), &new, events::PFADD, ctx);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

fn merge(
    bytes: &mut Vec<u8>,
    form: Form,
    registers: &Registers,
    ctx: &Ctx<'_>,
) -> Result<(), Fault> {
    if form == Form::Dense {
        hyperloglog::make_dense(bytes)?;
    }
    hyperloglog::raise_all(bytes, registers, ctx.store.hll_sparse_bytes_max())?;
    hyperloglog::make_stale(bytes);
    Ok(())
}
