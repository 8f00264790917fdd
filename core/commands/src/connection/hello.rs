//! `HELLO`.

use engine::REDIS_VERSION;
use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::{Argv, Protocol, Sender};

use super::{client_name, credentials};

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
pub(super) struct Hello;

pub(super) struct Parsed<'a> {
    request: Argv<'a>,
    protocol: Option<Protocol>,
    auth: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl Command for Hello {
    const SPEC: Spec = Spec {
        summary: "Greets the server: chooses the protocol, and says who the client is.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::ALLOW_BUSY
            .and(Flags::FAST)
            .and(Flags::LOADING)
            .and(Flags::NO_AUTH)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[(
            "6.2.0",
            "The version of the protocol may be left out, so that nothing changes.",
        )],
        args: &[Arg::block(
            "arguments",
            &[
                Arg::integer("protover"),
                Arg::block("auth", &[Arg::string("username"), Arg::string("password")])
                    .token("AUTH")
                    .secret()
                    .optional(),
                Arg::string("clientname").token("SETNAME").optional(),
            ],
        )
        .optional()],
        ..Spec::named("hello")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed {
            request: args.whole(),
            protocol: None,
            auth: None,
            name: None,
        };
        let Some(version) = args.next() else {
            return Ok(parsed);
        };
        parsed.protocol = Some(match parse_i64(version) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err(CmdError::UnsupportedProtocol),
            None => return Err(CmdError::ProtocolNotAnInteger),
        });
        while let Some(option) = args.next() {
            if option.eq_ignore_ascii_case(b"AUTH") && args.left() >= 2 {
                parsed.auth = Some((args.required()?, args.required()?));
            } else if option.eq_ignore_ascii_case(b"SETNAME") && args.left() >= 1 {
                let name = args.required()?;
                if !client_name::is_valid(name) {
                    return Err(CmdError::Client(ClientError::InvalidClientName));
                }
                parsed.name = Some(name);
            } else {
                let option = String::from_utf8_lossy(option).into_owned();
                return Err(CmdError::HelloOption(option));
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if let Some((user, password)) = cmd.auth {
            credentials::check(ctx, cmd.request, user, password)?;
        }
        if ctx.session.sender(&ctx.server.users) == Sender::Unauthenticated {
            return Err(CmdError::HelloNoAuth);
        }
        if let Some(name) = cmd.name {
            ctx.session.name = name.to_vec();
        }
        if let Some(protocol) = cmd.protocol {
            ctx.server.channels.set_protocol(ctx.session, protocol);
            ctx.reply.set_protocol(protocol);
        }
        let reply = &mut *ctx.reply;
        reply.map(7);
        reply.bulk(b"server");
        reply.bulk(b"redis");
        reply.bulk(b"version");
        reply.bulk(REDIS_VERSION.as_bytes());
        reply.bulk(b"proto");
        reply.int(match ctx.session.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        });
        reply.bulk(b"id");
        reply.int(ctx.session.id.client as i64);
        reply.bulk(b"mode");
        reply.bulk(ctx.server.mode().as_bytes());
        reply.bulk(b"role");
        reply.bulk(match ctx.server.follows() {
            true => b"replica",
            false => b"master",
        });
        reply.bulk(b"modules");
        reply.array(0);
        Ok(Flow::Done)
    }
}
