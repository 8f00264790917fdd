//! `ACL LIST` and `ACL USERS`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::Spec;

use super::OF_ALL_USERS;

/// `ACL LIST`
pub(super) struct List;

impl PlainCommand for List {
    const SPEC: Spec = Spec {
        name: "list",
        summary: "Tells the rules of all users, in the form of a file.",
        ..OF_ALL_USERS
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
        ..OF_ALL_USERS
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let users = ctx.server.users.iter();
        ctx.reply.array(users.len());
        ctx.reply.each(users, |reply, user| reply.bulk(user.name()));
        Ok(Flow::Done)
    }
}
