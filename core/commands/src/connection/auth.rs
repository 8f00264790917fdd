//! `AUTH`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, Spec};
use engine::users::DEFAULT_USER;
use resp::Argv;

use super::credentials;

/// `AUTH [username] password`
pub(super) struct Auth;

pub(super) struct Parsed<'a> {
    request: Argv<'a>,
    user: Option<&'a [u8]>,
    password: &'a [u8],
}

impl Command for Auth {
    const SPEC: Spec = Spec {
        summary: "Authenticates the connection with a password.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of passwords defined for the user",
        arity: Arity::AtLeast(2),
        flags: Flags::ALLOW_BUSY
            .and(Flags::FAST)
            .and(Flags::LOADING)
            .and(Flags::NO_AUTH)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[("6.0.0", "A user can be named.")],
        args: &[
            Arg::string("username").since("6.0.0").optional(),
            Arg::string("password").secret(),
        ],
        ..Spec::named("auth")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let request = args.whole();
        let first = args.required()?;
        Ok(match args.next() {
            None => Parsed {
                request,
                user: None,
                password: first,
            },
            Some(password) => Parsed {
                request,
                user: Some(first),
                password,
            },
        })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.user.is_none() && ctx.server.users.default_user().needs_no_password() {
            return Err(CmdError::NoPasswordSet);
        }
        credentials::check(
            ctx,
            cmd.request,
            cmd.user.unwrap_or(DEFAULT_USER),
            cmd.password,
        )?;
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
