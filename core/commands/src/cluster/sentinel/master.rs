//! Which node leads, whether it is heard of, and a change of the lead that is wanted.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::topology::LogHealth;

use super::named::named;
use crate::cluster::failover::ask_the_leader;
use crate::server::hand_over;

/// `SENTINEL GET-MASTER-ADDR-BY-NAME master-name`: the leader, or the last that there was.
pub(super) fn address(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let named = named(args, ctx.server).ok();
    match named.and_then(|topology| topology.leader()) {
        Some(leader) => {
            let (host, port) = (leader.host.clone(), leader.port);
            ctx.reply.array(2);
            ctx.reply.bulk(host.as_bytes());
            ctx.reply.bulk_int(port);
        }
        None => ctx.reply.null_array(),
    }
    Ok(())
}

/// `SENTINEL IS-MASTER-DOWN-BY-ADDR ip port current-epoch runid`: nobody votes, so no vote is
/// told.
pub(super) fn is_down(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let (host, port) = (args.required()?, args.integer()?);
    args.integer()?;
    args.rest();
    let leader = ctx.server.topology().and_then(|topology| topology.leader());
    let is_down = leader.is_some_and(|leader| {
        leader.is_down && leader.host.as_bytes() == host && i64::from(leader.port) == port
    });
    ctx.reply.array(3);
    ctx.reply.int(i64::from(is_down));
    ctx.reply.bulk(b"*");
    ctx.reply.int(0);
    Ok(())
}

/// `SENTINEL CKQUORUM master-name`: the log elects a leader, so one node that is left suffices.
pub(super) fn check_quorum(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = named(args, ctx.server)?;
    let others = topology.others().filter(|node| !node.is_down).count();
    let usable = others + 1;
    let reason = match topology.log {
        LogHealth::Good | LogHealth::InDoubt if others > 0 => {
            let text = format!(
                "OK {usable} usable Sentinels. Quorum and failover authorization can be reached"
            );
            ctx.reply.simple(&text);
            return Ok(());
        }
        LogHealth::Good | LogHealth::InDoubt => "No other node could take over",
        LogHealth::Unavailable | LogHealth::Stopped(_) => {
            "The log, which elects a leader, does not answer"
        }
    };
    Err(TopologyError::NoQuorum { usable, reason }.into())
}

/// `SENTINEL FAILOVER master-name`
pub(super) fn fail_over(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = named(args, ctx.server)?;
    if !topology.leads() {
        return Err(ask_the_leader(topology).into());
    }
    if ctx.server.pause.is_handing_over() {
        return Err(TopologyError::SentinelFailoverInProgress.into());
    }
    hand_over(ctx, None)
}
