//! `SCRIPT KILL` and `FUNCTION KILL`.

use engine::args::Args;
use engine::clients::pause::ScriptKind;
use engine::clients::waiting::GiveUp;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, ScriptError};
use engine::server::Afterwards;
use engine::table::{Arity, Flags, Group, Spec};

/// What both are allowed to do: to run while another command is not finished.
const FLAGS: Flags = Flags::ALLOW_BUSY.and(Flags::NO_SCRIPT);

/// `SCRIPT KILL`
pub(super) struct ScriptKill;

impl Command for ScriptKill {
    const SPEC: Spec = Spec {
        summary: "Ends a command that takes long.",
        since: "2.6.0",
        group: Group::Scripting,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: FLAGS,
        tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
        ..Spec::named("kill")
    };
    type Parsed<'a> = ();

    fn parse(_args: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        kill(ScriptKind::Script, ctx)
    }
}

/// `FUNCTION KILL`
pub(super) struct FunctionKill;

impl Command for FunctionKill {
    const SPEC: Spec = Spec {
        since: "7.0.0",
        summary: "Ends a function that takes long.",
        ..ScriptKill::SPEC
    };
    type Parsed<'a> = ();

    fn parse(_args: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        kill(ScriptKind::Function, ctx)
    }
}

/// Ends the command that is not finished, if it is of this kind. What is neither a script nor a
/// function (`DEBUG SLEEP`), both end.
fn kill(kind: ScriptKind, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let unfinished = ctx.server.pause.unfinished().copied();
    let unfinished = unfinished.ok_or(CmdError::NotBusy)?;
    if ctx.has_unfinished_written() {
        return Err(CmdError::Script(ScriptError::Unkillable));
    }
    if unfinished.work.kind().is_some_and(|other| other != kind) {
        return Err(CmdError::Busy(ctx.server.pause.kill()));
    }
    let how = GiveUp::Error(CmdError::Killed);
    ctx.server.afterwards.push(Afterwards::EndUnfinished(how));
    ctx.reply.ok();
    Ok(Flow::Done)
}
