//! `GET`.

use crate::args::Args;
use crate::ctx::Ctx;
use crate::error::CmdError;
use crate::table::{Arg, Arity, Command, Flags, Flow, Group, KeyFlags, KeySpec, Spec};

/// `GET key`
pub(super) struct Get;

impl Command for Get {
    const SPEC: Spec = Spec {
        summary: "Answers the string of a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0)],
        ..Spec::named("get")
    };
    type Parsed<'a> = &'a [u8];

    fn parse<'a>(args: &mut Args<'a>) -> Result<&'a [u8], CmdError> {
        args.required()
    }

    fn execute(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.tx.string(key)? {
            None => ctx.reply.null(),
            Some(string) => string.with_bytes(|bytes| ctx.reply.bulk(bytes)),
        }
        Ok(Flow::Done)
    }
}
