//! `ECHO`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::reply_argument;

/// `ECHO message`
pub(super) struct Echo;

impl PlainCommand for Echo {
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
    type Args<'a> = &'a [u8];

    fn execute(message: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        reply_argument(message, ctx);
        Ok(Flow::Done)
    }
}
