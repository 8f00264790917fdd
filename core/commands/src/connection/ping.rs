//! `PING`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::reply_argument;

/// `PING [message]`
pub(super) struct Ping;

impl Command for Ping {
    const SPEC: Spec = Spec {
        summary: "Answers PONG, or the message that came with it.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::FAST.and(Flags::WHILE_SUBSCRIBED),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        args: &[Arg::string("message").optional()],
        ..Spec::named("ping")
    };
    type Parsed<'a> = Option<&'a [u8]>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Option<&'a [u8]>, CmdError> {
        let message = args.next();
        if args.left() > 0 {
            return Err(CmdError::Arity("ping".to_owned()));
        }
        Ok(message)
    }

    fn execute(message: Option<&[u8]>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        // A client that gets messages must be able to tell this from them.
        if ctx.session.only_listens() {
            ctx.reply.array(2);
            ctx.reply.bulk(b"pong");
            reply_argument(message.unwrap_or_default(), ctx);
            return Ok(Flow::Done);
        }
        match message {
            None => ctx.reply.raw(b"+PONG\r\n"),
            Some(message) => reply_argument(message, ctx),
        }
        Ok(Flow::Done)
    }
}
