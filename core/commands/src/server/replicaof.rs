//! `REPLICAOF`, and `SLAVEOF`, its name in older versions.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Deprecated, Flags, Group, Spec};

/// `REPLICAOF host port | NO ONE`
pub(super) struct ReplicaOf;

/// `SLAVEOF host port | NO ONE`
pub(super) struct SlaveOf;

const SPEC: Spec = Spec {
    summary: "Makes the server one that replicates nobody, which it is.",
    since: "5.0.0",
    group: Group::Server,
    complexity: "O(1)",
    arity: Arity::Exactly(3),
    flags: Flags::ADMIN
        .and(Flags::NO_ASYNC_LOADING)
        .and(Flags::NO_SCRIPT)
        .and(Flags::STALE),
    args: &[Arg::one_of(
        "args",
        &[
            Arg::block("host-port", &[Arg::string("host"), Arg::integer("port")]),
            Arg::block("no-one", &[Arg::word("no", "NO"), Arg::word("one", "ONE")]),
        ],
    )],
    compat: Compat::Differs("Only NO ONE is accepted: weir does not replicate from other servers."),
    ..Spec::named("replicaof")
};

fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
    let (host, port) = (args.required()?, args.required()?);
    if host.eq_ignore_ascii_case(b"NO") && port.eq_ignore_ascii_case(b"ONE") {
        return Ok(());
    }
    match parse_i64(port) {
        Some(0..=65_535) => Err(CmdError::NoReplication),
        _ => Err(CmdError::InvalidMasterPort),
    }
}

impl Command for ReplicaOf {
    const SPEC: Spec = SPEC;
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        parse(args)
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

impl Command for SlaveOf {
    const SPEC: Spec = Spec {
        name: "slaveof",
        since: "1.0.0",
        deprecated: Some(Deprecated {
            since: "5.0.0",
            replaced_by: "`REPLICAOF`",
        }),
        ..SPEC
    };
    type Parsed<'a> = ();

    fn parse(args: &mut Args<'_>) -> Result<(), CmdError> {
        parse(args)
    }

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
