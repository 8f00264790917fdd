//! `ACL LOAD` and `ACL SAVE`: the file of users, which the shell reads and writes.

use engine::clients::session::SessionId;
use engine::clients::waiting::Wait;
use engine::command::{Ctx, Flow, Mode, PlainCommand};
use engine::error::{CmdError, UserError};
use engine::server::Order;
use engine::table::{Compat, Spec};

use super::OF_ALL_USERS;

/// What both have in common.
const FAMILY: Spec = Spec {
    compat: Compat::Differs("It is refused within a transaction, since it waits for the disk."),
    ..OF_ALL_USERS
};

/// `ACL LOAD`
pub(super) struct Load;

impl PlainCommand for Load {
    const SPEC: Spec = Spec {
        name: "load",
        summary: "Replaces all users by those of the file that aclfile names.",
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        order(ctx, |waiting| Order::LoadUsers { waiting })
    }
}

/// `ACL SAVE`
pub(super) struct Save;

impl PlainCommand for Save {
    const SPEC: Spec = Spec {
        name: "save",
        summary: "Writes all users to the file that aclfile names.",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        order(ctx, |waiting| Order::SaveUsers { waiting })
    }
}

fn order(ctx: &mut Ctx<'_>, order: impl FnOnce(SessionId) -> Order) -> Result<Flow, CmdError> {
    if ctx.server.config.users_file.is_empty() {
        return Err(CmdError::User(UserError::NoUserFile));
    }
    if ctx.mode != Mode::Alone {
        return Err(CmdError::NotInTransaction);
    }
    ctx.server.orders.push(order(ctx.session.id));
    ctx.wait = Some(Wait::for_shell(ctx.store.database, "ACL"));
    Ok(Flow::Block)
}
