//! `ACL DELUSER`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::{CmdError, UserError};
use engine::table::{Arg, Arity, Group, Spec};
use engine::users::DEFAULT_USER;
use resp::Argv;

use super::OF_ADMINISTRATORS;

/// `ACL DELUSER username …`
pub(super) struct DelUser;

impl PlainCommand for DelUser {
    const SPEC: Spec = Spec {
        summary: "Removes users, and disconnects the clients who act as them.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1) amortized time considering the typical user.",
        arity: Arity::AtLeast(3),
        flags: OF_ADMINISTRATORS,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        args: &[Arg::string("username").secret().multiple()],
        ..Spec::named("deluser")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if names.iter().any(|name| name == DEFAULT_USER) {
            return Err(CmdError::User(UserError::DefaultUserStays));
        }
        let removed = ctx.server.remove_users(names.iter(), ctx.session);
        ctx.reply.count(removed);
        Ok(Flow::Done)
    }
}
