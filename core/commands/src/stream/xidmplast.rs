//! `XIDMPLAST`: where a producer stood.

use engine::REDIS_VERSION;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::Stream;

use super::write_id;

/// `XIDMPLAST key pid`
pub(super) struct XIdmpLast;

impl PlainCommand for XIdmpLast {
    const SPEC: Spec = Spec {
        summary: "Tells a producer the last idempotent ID that it has used, and its entry.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::string("pid")],
        compat: Compat::Own,
        ..Spec::named("xidmplast")
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn execute((key, producer): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let now_ms = ctx.now.stream_ms();
        let stream = ctx.store.get::<Stream>(key)?;
        let last = stream.and_then(|stream| stream.idempotence().last(producer, now_ms));
        match last {
            None => ctx.reply.null_array(),
            Some(last) => {
                ctx.reply.array(2);
                ctx.reply.bulk(&last.iid);
                write_id(ctx.reply, last.id);
            }
        }
        Ok(Flow::Done)
    }
}
