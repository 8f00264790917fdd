//! `CLUSTER INFO`, `MYID` and `MYSHARDID`: the cluster, and this node's place in it.

use std::fmt::Write;

use engine::args::Args;
use engine::command::Ctx;
use engine::error::CmdError;
use engine::topology::SLOTS;

/// `CLUSTER MYID`
pub(super) fn node(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let id = ctx.server.cluster()?.own;
    ctx.reply.bulk(id.as_bytes());
    Ok(())
}

/// `CLUSTER MYSHARDID`
pub(super) fn shard(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let id = ctx.server.cluster()?.shard_id();
    ctx.reply.bulk(id.as_bytes());
    Ok(())
}

/// `CLUSTER INFO`
pub(super) fn info(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = ctx.server.cluster()?;
    let (state, served) = match topology.is_led() {
        true => ("ok", SLOTS),
        false => ("fail", 0),
    };
    let (nodes, epoch) = (topology.nodes.len(), topology.epoch);
    let failed = SLOTS - served;
    let lines: [(&str, &dyn std::fmt::Display); 12] = [
        ("cluster_state", &state),
        ("cluster_slots_assigned", &SLOTS),
        ("cluster_slots_ok", &served),
        ("cluster_slots_pfail", &0),
        ("cluster_slots_fail", &failed),
        ("cluster_known_nodes", &nodes),
        ("cluster_size", &1),
        ("cluster_current_epoch", &epoch),
        ("cluster_my_epoch", &epoch),
        ("cluster_stats_messages_sent", &0),
        ("cluster_stats_messages_received", &0),
        ("total_cluster_links_buffer_limit_exceeded", &0),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a string does not fail.
        write!(text, "{name}:{value}\r\n").ok();
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}
