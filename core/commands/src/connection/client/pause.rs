//! `CLIENT PAUSE`.

use engine::args::Args;
use engine::clients::pause::Pausing;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, Spec};

use crate::help::usage_error;

/// `CLIENT PAUSE timeout [WRITE | ALL]`
pub(super) struct Pause;

pub(super) struct Parsed {
    timeout_ms: u64,
    pausing: Pausing,
}

impl Command for Pause {
    const SPEC: Spec = Spec {
        summary: "Holds back requests for a time.",
        since: "3.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::AtLeast(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[("6.2.0", "WRITE and ALL were added.")],
        args: &[
            Arg::integer("timeout"),
            Arg::one_of(
                "mode",
                &[Arg::word("write", "WRITE"), Arg::word("all", "ALL")],
            )
            .since("6.2.0")
            .optional(),
        ],
        ..Spec::named("pause")
    };
    type Parsed<'a> = Parsed;

    fn parse(args: &mut Args<'_>) -> Result<Parsed, CmdError> {
        if args.left() > 2 {
            return Err(usage_error(args.whole(), "CLIENT"));
        }
        let timeout = args.required()?;
        let pausing = if args.left() == 0 || args.keyword("ALL") {
            Pausing::All
        } else if args.keyword("WRITE") {
            Pausing::Writes
        } else {
            return Err(CmdError::Client(ClientError::PauseMode));
        };
        let timeout_ms = engine::args::parse_i64(timeout).ok_or(CmdError::TimeoutNotAnInteger)?;
        let timeout_ms = u64::try_from(timeout_ms).map_err(|_| CmdError::TimeoutNegative)?;
        Ok(Parsed {
            timeout_ms,
            pausing,
        })
    }

    fn execute(cmd: Parsed, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        // A time beyond any clock is refused, as in Redis.
        let end = ctx.now.unix().0.checked_add_unsigned(cmd.timeout_ms);
        end.ok_or(CmdError::TimeoutOutOfRange)?;
        let until = ctx.now.mono.plus(cmd.timeout_ms);
        ctx.server.pause.begin(cmd.pausing, until);
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
