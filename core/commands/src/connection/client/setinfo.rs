//! `CLIENT SETINFO`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::super::client_name;

/// `CLIENT SETINFO LIB-NAME libname | LIB-VER libver`
pub(super) struct SetInfo;

pub(super) enum Parsed<'a> {
    Name(&'a [u8]),
    Version(&'a [u8]),
}

impl Command for SetInfo {
    const SPEC: Spec = Spec {
        summary: "Says which library the client uses, and which version of it.",
        since: "7.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        args: &[Arg::one_of(
            "attr",
            &[
                Arg::string("libname").token("LIB-NAME"),
                Arg::string("libver").token("LIB-VER"),
            ],
        )],
        ..Spec::named("setinfo")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        if args.keyword("LIB-NAME") {
            Ok(Parsed::Name(value(args, "lib-name")?))
        } else if args.keyword("LIB-VER") {
            Ok(Parsed::Version(value(args, "lib-ver")?))
        } else {
            let option = String::from_utf8_lossy(args.required()?).into_owned();
            Err(CmdError::Client(ClientError::UnknownClientOption(option)))
        }
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match cmd {
            Parsed::Name(name) => ctx.session.library.0 = name.to_vec(),
            Parsed::Version(version) => ctx.session.library.1 = version.to_vec(),
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

fn value<'a>(args: &mut Args<'a>, option: &'static str) -> Result<&'a [u8], CmdError> {
    let value = args.required()?;
    if client_name::is_valid(value) {
        Ok(value)
    } else {
        Err(CmdError::Client(ClientError::InvalidLibrary(option)))
    }
}
