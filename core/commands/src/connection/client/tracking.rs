//! `CLIENT TRACKING`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

use super::switch;

/// `CLIENT TRACKING ON | OFF …`: weir does not track what clients read, so that it can only be off.
pub(super) struct Tracking;

impl Command for Tracking {
    const SPEC: Spec = Spec {
        summary: "Turns the tracking of what the connection reads on or off; weir has it off.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1). Some options may introduce additional complexity.",
        arity: Arity::AtLeast(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[
            Arg::one_of("status", &[Arg::word("on", "ON"), Arg::word("off", "OFF")]),
            Arg::integer("client-id").token("REDIRECT").optional(),
            Arg::string("prefix")
                .token("PREFIX")
                .optional()
                .multiple_token(),
            Arg::word("bcast", "BCAST").optional(),
            Arg::word("optin", "OPTIN").optional(),
            Arg::word("optout", "OPTOUT").optional(),
            Arg::word("noloop", "NOLOOP").optional(),
        ],
        compat: Compat::Differs("It can only be off."),
        ..Spec::named("tracking")
    };
    type Parsed<'a> = bool;

    fn parse(args: &mut Args<'_>) -> Result<bool, CmdError> {
        let on = switch::parse(args)?;
        args.rest();
        Ok(on)
    }

    fn execute(on: bool, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if on {
            return Err(CmdError::NoTracking);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
