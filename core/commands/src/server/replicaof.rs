//! `REPLICAOF`, and `SLAVEOF`, its name in older versions.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, TopologyError};
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

/// What the server is to be.
pub(super) enum Wanted {
    Master,
    Replica,
}

fn parse(args: &mut Args<'_>) -> Result<Wanted, CmdError> {
    let (host, port) = (args.required()?, args.required()?);
    if host.eq_ignore_ascii_case(b"NO") && port.eq_ignore_ascii_case(b"ONE") {
        return Ok(Wanted::Master);
    }
    match parse_i64(port) {
        Some(0..=65_535) => Ok(Wanted::Replica),
        _ => Err(CmdError::InvalidMasterPort),
    }
}

fn execute(wanted: Wanted, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    if ctx.server.is_in_cluster() {
        return Err(TopologyError::ReplicaOfInCluster.into());
    }
    match wanted {
        Wanted::Master if !ctx.server.follows() => {
            ctx.reply.ok();
            Ok(Flow::Done)
        }
        _ if ctx.server.topology().is_some() => Err(TopologyError::FollowsByItself.into()),
        Wanted::Master | Wanted::Replica => Err(CmdError::NoReplication),
    }
}

impl Command for ReplicaOf {
    const SPEC: Spec = SPEC;
    type Parsed<'a> = Wanted;

    fn parse(args: &mut Args<'_>) -> Result<Wanted, CmdError> {
        parse(args)
    }

    fn execute(wanted: Wanted, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(wanted, ctx)
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
    type Parsed<'a> = Wanted;

    fn parse(args: &mut Args<'_>) -> Result<Wanted, CmdError> {
        parse(args)
    }

    fn execute(wanted: Wanted, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        execute(wanted, ctx)
    }
}
