//! `ACL SETUSER`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Group, Spec};
use resp::Argv;

use super::OF_ADMINISTRATORS;

/// `ACL SETUSER username [rule …]`
pub(super) struct SetUser;

impl Command for SetUser {
    const SPEC: Spec = Spec {
        summary: "Makes a user, or changes its rules.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of rules provided.",
        arity: Arity::AtLeast(3),
        flags: OF_ADMINISTRATORS,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: &[
            ("6.2.0", "Channel patterns were added."),
            (
                "7.0.0",
                "Selectors and key patterns with rights were added.",
            ),
        ],
        args: &[
            Arg::string("username").secret(),
            Arg::string("rule").secret().optional().multiple(),
        ],
        ..Spec::named("setuser")
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<(&'a [u8], Argv<'a>), CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((name, rules): (&[u8], Argv<'_>), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.server.change_user(name, rules.iter(), ctx.session)?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
