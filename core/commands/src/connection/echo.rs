//! `ECHO`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::reply_argument;

/// `ECHO message`
pub(super) struct Echo;

impl Command for Echo {
    const SPEC: Spec = Spec {
        summary: "Answers the message.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::FAST.and(Flags::LOADING).and(Flags::STALE),
        args: &[Arg::string("message")],
        ..Spec::named("echo")
    };
    type Parsed<'a> = &'a [u8];

    fn parse<'a>(args: &mut Args<'a>) -> Result<&'a [u8], CmdError> {
        args.required()
    }

    fn execute(message: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_argument(message, ctx);
        Ok(Flow::Done)
    }
}
