//! `CLUSTER NODES`, `REPLICAS`, `LINKS` and `COUNT-FAILURE-REPORTS`: the nodes, a line each.

use engine::Now;
use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, TopologyError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::topology::{Node, NodeId, Topology};

/// `CLUSTER NODES`
pub(super) fn list(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = ctx.server.cluster()?;
    let mut text = String::new();
    for node in &topology.nodes {
        text.push_str(&line(topology, node, ctx.now));
        text.push('\n');
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// `CLUSTER REPLICAS node-id`, `CLUSTER SLAVES node-id`
pub(super) fn replicas(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let topology = ctx.server.cluster()?;
    if Some(find(topology, args)?.id) != topology.leader {
        return Err(TopologyError::NotTheLeader.into());
    }
    ctx.reply.array(topology.followers().count());
    for node in topology.followers() {
        ctx.reply.bulk(line(topology, node, ctx.now).as_bytes());
    }
    Ok(())
}

/// `CLUSTER LINKS`: nodes speak through their log.
pub(super) fn links(_: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    ctx.reply.array(0);
    Ok(())
}

/// `CLUSTER COUNT-FAILURE-REPORTS node-id`: nodes do not report one another.
pub(super) fn failure_reports(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    find(ctx.server.cluster()?, args)?;
    ctx.reply.int(0);
    Ok(())
}

fn find<'t>(topology: &'t Topology, args: &mut Args<'_>) -> Result<&'t Node, CmdError> {
    let id = args.required()?;
    let node = NodeId::parse(id).and_then(|id| topology.find(id));
    node.ok_or_else(|| {
        let id = &id[..id.len().min(ERROR_ECHO_BYTES_MAX)];
        TopologyError::UnknownNode(String::from_utf8_lossy(id).into_owned()).into()
    })
}

/// What `CLUSTER NODES` says of one. There are no connections between nodes, so their port is 0.
fn line(topology: &Topology, node: &Node, now: Now) -> String {
    let is_own = node.id == topology.own;
    let leads = Some(node.id) == topology.leader;
    let Node { id, host, port, .. } = node;
    let flags = [
        is_own.then_some("myself"),
        Some(if leads { "master" } else { "slave" }),
        node.is_down.then_some("fail"),
    ];
    let flags: Vec<&str> = flags.into_iter().flatten().collect();
    let flags = flags.join(",");
    let master = match topology.leader {
        Some(leader) if !leads => leader.to_string(),
        Some(_) | None => "-".to_owned(),
    };
    let silent_ms = topology.silent_ms(node, now);
    let heard_ms = match is_own {
        true => 0,
        false => now.unix().0.saturating_sub_unsigned(silent_ms),
    };
    let link = match node.is_down {
        true => "disconnected",
        false => "connected",
    };
    let slots = if leads { " 0-16383" } else { "" };
    let epoch = topology.epoch;
    format!("{id} {host}:{port}@0 {flags} {master} 0 {heard_ms} {epoch} {link}{slots}")
}
