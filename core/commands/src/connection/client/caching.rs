//! `CLIENT CACHING`.

use engine::args::Args;
use engine::clients::tracking::TrackedReads;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, TrackingError};
use engine::table::{Arg, Arity, Flags, Group, Spec};

/// `CLIENT CACHING YES | NO`
pub(super) struct Caching;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Yes,
    No,
    /// Neither, which is told after everything else.
    Wrong,
}

impl Command for Caching {
    const SPEC: Spec = Spec {
        summary: "Says whether the connection is told of the keys that its next command reads.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[Arg::one_of(
            "mode",
            &[Arg::word("yes", "YES"), Arg::word("no", "NO")],
        )],
        ..Spec::named("caching")
    };
    type Parsed<'a> = Choice;

    fn parse(args: &mut Args<'_>) -> Result<Choice, CmdError> {
        if args.keyword("YES") {
            return Ok(Choice::Yes);
        }
        if args.keyword("NO") {
            return Ok(Choice::No);
        }
        args.rest();
        Ok(Choice::Wrong)
    }

    fn execute(choice: Choice, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let session = &mut *ctx.session;
        let tracking = session.tracking.as_mut();
        let tracking = tracking.ok_or(CmdError::Tracking(TrackingError::CachingWithoutTracking))?;
        let reads = tracking.options.reads;
        match choice {
            Choice::Yes if reads != TrackedReads::ChosenIn => {
                return Err(CmdError::Tracking(TrackingError::CachingYesWithoutOptIn));
            }
            Choice::No if reads != TrackedReads::ChosenOut => {
                return Err(CmdError::Tracking(TrackingError::CachingNoWithoutOptOut));
            }
            Choice::Wrong => return Err(CmdError::Syntax),
            Choice::Yes | Choice::No => {}
        }
        tracking.say_caching(match ctx.mode {
            Mode::Alone | Mode::Called | Mode::Resumed | Mode::Replay => session.requests + 1,
            // What follows in the transaction is part of the same request.
            Mode::Transaction => session.requests,
        });
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
