//! `CLIENT REPLY`.

use engine::args::Args;
use engine::clients::session::Replies;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

/// `CLIENT REPLY ON | OFF | SKIP`
pub(super) struct Reply;

impl Command for Reply {
    const SPEC: Spec = Spec {
        summary: "Says which replies the client wants.",
        since: "3.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[Arg::one_of(
            "action",
            &[
                Arg::word("on", "ON"),
                Arg::word("off", "OFF"),
                Arg::word("skip", "SKIP"),
            ],
        )],
        compat: Compat::Differs(
            "Within a transaction it answers OK and leaves the reply to EXEC whole; Redis leaves elements \
             out. QUIT, and what is no request, end the connection under OFF and SKIP too.",
        ),
        ..Spec::named("reply")
    };
    type Parsed<'a> = Replies;

    fn parse(args: &mut Args<'_>) -> Result<Replies, CmdError> {
        if args.keyword("ON") {
            Ok(Replies::On)
        } else if args.keyword("OFF") {
            Ok(Replies::Off)
        } else if args.keyword("SKIP") {
            Ok(Replies::SkipNext)
        } else {
            Err(CmdError::Syntax)
        }
    }

    fn execute(replies: Replies, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        // A client that wants no replies at all has none to skip.
        if replies != Replies::SkipNext || ctx.session.replies != Replies::Off {
            ctx.session.replies = replies;
        }
        // A client that asks for none gets none to this request either; but an element of a
        // transaction's reply cannot be missing.
        if replies == Replies::On || ctx.mode == Mode::Transaction {
            ctx.reply.ok();
        }
        Ok(Flow::Done)
    }
}
