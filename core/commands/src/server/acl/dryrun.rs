//! `ACL DRYRUN`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, UserError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::table::{Arg, Arity, Group, Spec};
use resp::Argv;

use super::OF_ADMINISTRATORS;

/// `ACL DRYRUN username command [arg …]`
pub(super) struct DryRun;

impl Command for DryRun {
    const SPEC: Spec = Spec {
        summary: "Tells whether a user may make a request, which does not run.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(1).",
        arity: Arity::AtLeast(4),
        flags: OF_ADMINISTRATORS,
        args: &[
            Arg::string("username"),
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..Spec::named("dryrun")
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<(&'a [u8], Argv<'a>), CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((name, request): (&[u8], Argv<'_>), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let user = ctx.server.users.find(name);
        let user = user.ok_or_else(|| CmdError::User(UserError::UserNotFound(echoed(name))))?;
        let command = request.get(0).unwrap_or_default();
        let row = ctx.server.commands.find_for(request);
        let row = row.ok_or_else(|| CmdError::User(UserError::CommandNotFound(echoed(command))))?;
        if !row.spec.arity.accepts(request.len()) || row.is_container() {
            return Err(CmdError::Arity(row.full_name()));
        }
        match user.check(row, request) {
            Ok(()) => ctx.reply.ok(),
            Err(refusal) => {
                let denied = refusal.denied(user.name(), row);
                ctx.reply.bulk(denied.in_full().as_bytes());
            }
        }
        Ok(Flow::Done)
    }
}

/// What an error repeats of an argument.
fn echoed(arg: &[u8]) -> String {
    let arg = &arg[..arg.len().min(ERROR_ECHO_BYTES_MAX)];
    String::from_utf8_lossy(arg).into_owned()
}
