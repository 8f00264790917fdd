//! `ACL GENPASS`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, UserError};
use engine::limits::PASSWORD_BITS_MAX;
use engine::table::{Arg, Arity, Group, Spec};

use super::OF_EVERYBODY;
use crate::help::usage_error;

/// `ACL GENPASS [bits]`
pub(super) struct GenPass;

/// Bits of a password if nothing is said.
const BITS_DEFAULT: u32 = 256;

impl Command for GenPass {
    const SPEC: Spec = Spec {
        summary: "Makes a password that nobody can guess.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::AtLeast(2),
        flags: OF_EVERYBODY,
        args: &[Arg::integer("bits").optional()],
        ..Spec::named("genpass")
    };
    type Parsed<'a> = u32;

    fn parse(args: &mut Args<'_>) -> Result<u32, CmdError> {
        match args.left() {
            0 => Ok(BITS_DEFAULT),
            1 => u32::try_from(args.integer()?)
                .ok()
                .filter(|bits| (1..=PASSWORD_BITS_MAX).contains(bits))
                .ok_or(CmdError::User(UserError::PasswordBits)),
            _ => Err(usage_error(args.whole(), "ACL")),
        }
    }

    fn execute(bits: u32, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let password = ctx.server.users.generator.password(bits);
        ctx.reply.bulk(password.as_bytes());
        Ok(Flow::Done)
    }
}
