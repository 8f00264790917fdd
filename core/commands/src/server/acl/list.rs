//! `ACL LIST` and `ACL USERS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Group, Spec};

use super::OF_ADMINISTRATORS;

/// What both have in common.
const FAMILY: Spec = Spec {
    since: "6.0.0",
    group: Group::Server,
    complexity: "O(N). Where N is the number of configured users.",
    arity: Arity::Exactly(2),
    flags: OF_ADMINISTRATORS,
    ..Spec::named("")
};

/// `ACL LIST`
pub(super) struct List;

impl PlainCommand for List {
    const SPEC: Spec = Spec {
        name: "list",
        summary: "Tells the rules of all users, in the form of a file.",
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let users = ctx.server.users.iter();
        ctx.reply.array(users.len());
        ctx.reply
            .each(users, |reply, user| reply.bulk(&user.line()));
        Ok(Flow::Done)
    }
}

/// `ACL USERS`
pub(super) struct Users;

impl PlainCommand for Users {
    const SPEC: Spec = Spec {
        name: "users",
        summary: "Tells the names of all users.",
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let users = ctx.server.users.iter();
        ctx.reply.array(users.len());
        ctx.reply.each(users, |reply, user| reply.bulk(user.name()));
        Ok(Flow::Done)
    }
}
