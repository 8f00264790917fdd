//! `XCFGGET`: what a stream was told.

use engine::REDIS_VERSION;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use stream::{Settings, Stream, StreamSettings};

use super::settings_option::write_settings;
use super::xinfo;

/// `XCFGGET key`
pub(super) struct XCfgGet;

impl PlainCommand for XCfgGet {
    const SPEC: Spec = Spec {
        summary: "Tells what a stream was told with XCFGSET.",
        since: REDIS_VERSION,
        group: Group::Stream,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0)],
        compat: Compat::Own,
        ..Spec::named("xcfgget")
    };
    type Args<'a> = &'a [u8];

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let stream = ctx.store.get::<Stream>(key)?.ok_or(CmdError::NoSuchKey)?;
        let retention = stream.idempotence().retention();
        ctx.reply.map(2 + StreamSettings::ROWS.len());
        xinfo::count(ctx.reply, "idmp-duration", u64::from(retention.duration_s));
        xinfo::count(ctx.reply, "idmp-maxsize", u64::from(retention.maxsize));
        write_settings(ctx.reply, &stream.settings().to_settings());
        Ok(Flow::Done)
    }
}
