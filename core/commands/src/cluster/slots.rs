//! `CLUSTER SLOTS` and `CLUSTER SHARDS`: all slots are the leader's.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::CmdError;
use engine::topology::{Node, SLOTS, Topology};
use resp::Reply;

/// The leader, if it is known, and the others after it.
fn leader_first(topology: &Topology) -> impl Iterator<Item = &Node> {
    topology.leader().into_iter().chain(topology.followers())
}

/// `CLUSTER SLOTS`: the leader, then the followers that are heard of.
pub(super) fn slots(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = ctx.server.cluster()?;
    let reply = &mut *ctx.reply;
    if topology.leader().is_none() {
        reply.array(0);
        return Ok(());
    }
    let is_shown = |node: &&Node| !node.is_down || Some(node.id) == topology.leader;
    let shown = || leader_first(topology).filter(is_shown);
    reply.array(1);
    reply.array(2 + shown().count());
    slot_range(reply);
    for node in shown() {
        reply.array(4);
        reply.bulk(node.host.as_bytes());
        reply.int(i64::from(node.port));
        reply.bulk(node.id.as_bytes());
        reply.map(0);
    }
    Ok(())
}

/// `CLUSTER SHARDS`
pub(super) fn shards(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = ctx.server.cluster()?;
    let last = ctx.store.log().last();
    let reply = &mut *ctx.reply;
    reply.array(1);
    reply.map(2);
    reply.bulk(b"slots");
    match topology.leader() {
        Some(_) => {
            reply.array(2);
            slot_range(reply);
        }
        None => reply.array(0),
    }
    reply.bulk(b"nodes");
    reply.array(topology.nodes.len());
    for node in leader_first(topology) {
        let leads = Some(node.id) == topology.leader;
        let offset = match node.id == topology.own {
            true => last,
            false => node.applied,
        };
        reply.map(7);
        reply.bulk(b"id");
        reply.bulk(node.id.as_bytes());
        reply.bulk(b"port");
        reply.int(i64::from(node.port));
        reply.bulk(b"ip");
        reply.bulk(node.host.as_bytes());
        reply.bulk(b"endpoint");
        reply.bulk(node.host.as_bytes());
        reply.bulk(b"role");
        reply.bulk(if leads { b"master" } else { b"replica" });
        reply.bulk(b"replication-offset");
        reply.int(offset.number().cast_signed());
        reply.bulk(b"health");
        reply.bulk(if node.is_down { b"failed" } else { b"online" });
    }
    Ok(())
}

fn slot_range(reply: &mut Reply) {
    reply.int(0);
    reply.int(i64::from(SLOTS - 1));
}
