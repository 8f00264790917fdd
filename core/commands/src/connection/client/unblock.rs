//! `CLIENT UNBLOCK`.

use engine::args::Args;
use engine::clients::waiting::GiveUp;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::server::Afterwards;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use crate::help::usage_error;

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
pub(super) struct Unblock;

pub(super) struct Parsed {
    client: i64,
    how: GiveUp,
}

impl Command for Unblock {
    const SPEC: Spec = Spec {
        summary: "Ends the wait of another connection.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(log N) where N is the number of client connections",
        arity: Arity::AtLeast(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        args: &[
            Arg::integer("client-id"),
            Arg::one_of(
                "unblock-type",
                &[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")],
            )
            .optional(),
        ],
        ..Spec::named("unblock")
    };
    type Parsed<'a> = Parsed;

    fn parse(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
        if args.left() > 2 {
            return Err(usage_error(args.whole(), "CLIENT"));
        }
        let client = args.required()?;
        let how = if args.left() == 0 || args.keyword("TIMEOUT") {
            GiveUp::Timeout
        } else if args.keyword("ERROR") {
            GiveUp::Error(CmdError::Unblocked)
        } else {
            return Err(CmdError::Client(ClientError::UnblockReason));
        };
        let client = engine::args::parse_i64(client).ok_or(CmdError::NotAnInteger)?;
        Ok(Parsed { client, how })
    }

    fn execute(cmd: Parsed, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let mut others = ctx.server.sessions.iter();
        let waiting = others.find(|session| {
            // One that waits for work of the server (`SAVE`) waits for no key, and keeps waiting.
            let wait = session.wait.as_ref();
            session.id.client as i64 == cmd.client && wait.is_some_and(|wait| !wait.keys.is_empty())
        });
        let unblocked = waiting.map(|session| session.id);
        let afterwards = unblocked.map(|id| Afterwards::EndWait(id, cmd.how));
        ctx.server.afterwards.extend(afterwards);
        ctx.reply.int(i64::from(unblocked.is_some()));
        Ok(Flow::Done)
    }
}
