//! `CLIENT SETNAME`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::super::client_name;

/// `CLIENT SETNAME connection-name`
pub(super) struct SetName;

impl Command for SetName {
    const SPEC: Spec = Spec {
        summary: "Names the connection.",
        since: "2.6.9",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        args: &[Arg::string("connection-name")],
        ..Spec::named("setname")
    };
    type Parsed<'a> = &'a [u8];

    fn parse<'a>(args: &mut Args<'a>) -> Result<&'a [u8], CmdError> {
        let name = args.required()?;
        if !client_name::is_valid(name) {
            return Err(CmdError::Client(ClientError::InvalidClientName));
        }
        Ok(name)
    }

    fn execute(name: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.session.name = name.to_vec();
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
