//! `FAILOVER`: the leader of a group hands over to another node.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, TopologyError};
use engine::server::Order;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

/// `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]`
pub(super) struct Failover;

#[derive(Default)]
pub(super) struct Parsed<'a> {
    to: Option<(&'a [u8], i64)>,
    force: bool,
    abort: bool,
    timeout: Option<i64>,
}

impl Command for Failover {
    const SPEC: Spec = Spec {
        summary: "Has the leader of a group hand over to another node.",
        since: "6.2.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[
            Arg::block(
                "target",
                &[
                    Arg::string("host"),
                    Arg::integer("port"),
                    Arg::word("force", "FORCE").optional(),
                ],
            )
            .token("TO")
            .optional(),
            Arg::word("abort", "ABORT").optional(),
            Arg::integer("milliseconds").token("TIMEOUT").optional(),
        ],
        compat: Compat::Differs(
            "Nothing has to be waited for or given up, so TIMEOUT and FORCE change nothing, and there is no ABORT. It works in a cluster too.",
        ),
        ..Spec::named("failover")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed::default();
        let words = args.left();
        while args.left() > 0 {
            if parsed.timeout.is_none() && args.keyword_with_value("TIMEOUT") {
                let timeout = args.integer()?;
                if timeout <= 0 {
                    return Err(TopologyError::FailoverTimeout.into());
                }
                parsed.timeout = Some(timeout);
            } else if words == 1 && args.keyword("ABORT") {
                parsed.abort = true;
            } else if parsed.to.is_none() && args.left() >= 3 && args.keyword("TO") {
                let host = args.required()?;
                let port = parse_i64(args.required()?).ok_or(CmdError::NotAnInteger)?;
                parsed.to = Some((host, port));
            } else if !parsed.force && args.keyword("FORCE") {
                parsed.force = true;
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if cmd.abort {
            return Err(TopologyError::NoFailover.into());
        }
        if ctx.server.follows() {
            return Err(TopologyError::FailoverOfReplica.into());
        }
        if cmd.force && (cmd.to.is_none() || cmd.timeout.is_none()) {
            return Err(TopologyError::FailoverForce.into());
        }
        if ctx.server.pause.is_handing_over() {
            return Err(TopologyError::FailoverInProgress.into());
        }
        hand_over(ctx, cmd.to)?;
        Ok(Flow::Done)
    }
}

/// Orders the hand-over to the node at this address, or to the one that has applied the most, and
/// answers `OK`.
///
/// # Errors
/// There is no such node, or nobody follows.
pub(crate) fn hand_over(ctx: &mut Ctx<'_>, to: Option<(&[u8], i64)>) -> Result<(), CmdError> {
    let Some(topology) = ctx.server.topology() else {
        return Err(TopologyError::NoReplicas.into());
    };
    let target = match to {
        None => topology.successor().ok_or(TopologyError::NoReplicas)?,
        Some((host, port)) => {
            let mut followers = topology.followers();
            let named =
                followers.find(|node| node.host.as_bytes() == host && i64::from(node.port) == port);
            named.ok_or(TopologyError::NotAReplica)?
        }
    };
    if target.is_down {
        return Err(TopologyError::ReplicaIsDown.into());
    }
    let order = Order::HandOver { to: target.id };
    // Once is enough, however often it is asked for.
    if !ctx.server.orders.contains(&order) {
        ctx.server.orders.push(order);
    }
    ctx.reply.ok();
    Ok(())
}
