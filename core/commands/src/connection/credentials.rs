//! The check of a user and its password that `AUTH` and `HELLO … AUTH` share.

use std::sync::Arc;

use engine::command::Ctx;
use engine::error::CmdError;
use resp::Argv;

/// Lets the session in, if user and password are right. What is wrong is noted.
pub(super) fn check(
    ctx: &mut Ctx<'_>,
    request: Argv<'_>,
    user: &[u8],
    password: &[u8],
) -> Result<(), CmdError> {
    let Some(user) = ctx.server.users.authenticate(user, password) else {
        let client = (&*ctx.session, &*ctx.store.watches());
        ctx.server
            .note_wrong_password(client, request, user, ctx.now);
        return Err(CmdError::WrongPassword);
    };
    ctx.session.authenticate(Arc::clone(user));
    Ok(())
}
