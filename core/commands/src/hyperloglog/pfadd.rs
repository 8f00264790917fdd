//! `PFADD`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::store::effect::Effect;
use engine::store::effect::hyperloglog::{Added, HyperLogLogChange, events};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::StringValue;
use values::hyperloglog::{self, Form, HyperLogLog, Register};

/// `PFADD key [element …]`
pub(super) struct PfAdd;

impl PlainCommand for PfAdd {
    const SPEC: Spec = Spec {
        name: "pfadd",
        summary: "Adds elements to a HyperLogLog, and tells whether its estimate may have changed.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1) to add every element.",
        arity: Arity::AtLeast(2),
        flags: Flags::DENY_OOM.and(Flags::FAST).and(Flags::WRITE),
        keys: &[KeySpec::at(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        args: &[
            Arg::key("key", 0),
            Arg::string("element").optional().multiple(),
        ],
        compat: Compat::Differs(
            "If an element is refused, none is added. Redis has added those before it, and tells \
             neither its log nor its replicas.",
        ),
        ..Spec::named("")
    };
    type Args<'a> = (&'a [u8], Argv<'a>);

    fn execute((key, elements): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let sparse_bytes_max = ctx.store.hll_sparse_bytes_max();
        let plan = match ctx.store.get::<StringValue>(key)? {
            None => Some((Form::Sparse, hyperloglog::empty())),
            Some(string) => string.with_bytes(|bytes| plan(bytes, elements))?,
        };
        let Some((form, mut bytes)) = plan else {
            ctx.reply.int(0);
            return Ok(Flow::Done);
        };
        let mut added = Added::Dense;
        if form == Form::Sparse {
            for element in elements {
                hyperloglog::raise(&mut bytes, Register::of(element), sparse_bytes_max)?;
            }
            hyperloglog::make_stale(&mut bytes);
            if HyperLogLog::of(&bytes)?.form() == Form::Dense {
                let old = ctx.store.get::<StringValue>(key)?.cloned();
                super::replace(key, old.as_ref(), &bytes, events::PFADD, ctx);
                ctx.reply.int(1);
                return Ok(Flow::Done);
            }
            added = Added::Sparse(&bytes);
        }
        let change = HyperLogLogChange { elements, added };
        ctx.store.apply(&Effect::on(key, change), events::PFADD);
        ctx.reply.int(1);
        Ok(Flow::Done)
    }
}

/// If elements raise a register of this HyperLogLog: its form, and a copy if that is sparse.
fn plan(bytes: &[u8], elements: Argv<'_>) -> Result<Option<(Form, Vec<u8>)>, CmdError> {
    let found = HyperLogLog::of(bytes)?;
    for element in elements {
        if !found.has(Register::of(element))? {
            let copy = match found.form() {
                Form::Dense => Vec::new(),
                Form::Sparse => bytes.to_vec(),
            };
            return Ok(Some((found.form(), copy)));
        }
    }
    Ok(None)
}
