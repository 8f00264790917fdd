//! Families of a group of servers that share a log. A server that is alone has no samples of them.

use std::fmt;

use engine::observe::stages::Stage;
use engine::server::LogSnapshotFigures;
use engine::topology::{LogHealth, LogServer, Node, Role, Topology};

use super::{counter, gauge, histogram, seconds, stage};
use crate::metrics::Snapshot;
use crate::metrics::samples::{Family, In, Samples};

/// The group, its nodes, and the servers that keep its log.
pub(super) const CLUSTER: &[Family] = &[
    gauge(
        "weir_cluster_role",
        In::Numbers,
        "What this node does in its group, by role (leader, follower, candidate); 1 for the one that it has",
        role,
    ),
    gauge(
        "weir_cluster_epoch",
        In::Numbers,
        "The epoch of the leader; it grows with each change of the lead",
        |s, f| of(s, f, |topology| topology.epoch),
    ),
    counter(
        "weir_cluster_elections",
        In::Numbers,
        "How often a leader began to lead since this node had read the log",
        |s, f| of(s, f, |topology| topology.figures.elections),
    ),
    counter(
        "weir_cluster_doubts",
        In::Numbers,
        "How often this leader did not know what had become of its records",
        |s, f| of(s, f, |topology| topology.figures.doubts),
    ),
    gauge(
        "weir_cluster_lease_remaining",
        In::Seconds,
        "For how long this leader may still answer; none of a follower",
        lease,
    ),
    gauge(
        "weir_cluster_staleness",
        In::Seconds,
        "By how much what this node shows may be out of date; none while it has nothing to show",
        staleness,
    ),
    gauge(
        "weir_cluster_log_healthy",
        In::Numbers,
        "1 if the log takes and gives records as it should; the label has its health in a word",
        log_health,
    ),
    gauge(
        "weir_cluster_log_sequence",
        In::Numbers,
        "The number of the last record of the log that this node knows",
        |s, f| of(s, f, |topology| topology.figures.sequence),
    ),
    gauge(
        "weir_cluster_records_under_way",
        In::Numbers,
        "Records that this leader has sent and that are not known to be in the log",
        |s, f| of(s, f, |topology| topology.figures.under_way),
    ),
    histogram(
        "weir_cluster_commit_duration",
        In::Seconds,
        "How long it took from handing changes to the log until they were in it",
        commits,
    ),
    gauge(
        "weir_cluster_node_lag",
        In::Numbers,
        "How many batches in the log a node has not applied, by node; a second old",
        |s, f| nodes(s, f, |topology, node| topology.lag(node)),
    ),
    gauge(
        "weir_cluster_node_silence",
        In::Seconds,
        "How long ago a node was last heard of, by node",
        silences,
    ),
    gauge(
        "weir_cluster_node_down",
        In::Numbers,
        "1 if a node has been silent for too long, by node",
        |s, f| nodes(s, f, |_, node| u64::from(node.is_down)),
    ),
    gauge(
        "weir_cluster_log_server_leads",
        In::Numbers,
        "1 for the NATS server that leads the log, by server",
        |s, f| log_servers(s, f, |server| u64::from(server.leads)),
    ),
    gauge(
        "weir_cluster_log_server_current",
        In::Numbers,
        "1 if a NATS server has all of the log, by server; none if nobody tells",
        |s, f| log_servers(s, f, |server| u64::from(server.is_current)),
    ),
    gauge(
        "weir_cluster_log_server_lag",
        In::Numbers,
        "How many records of the log a NATS server is behind, by server",
        |s, f| log_servers(s, f, |server| server.lag),
    ),
    counter(
        "weir_cluster_snapshots",
        In::Numbers,
        "Snapshots of the log that this node has made",
        |s, f| snapshots(s, f, |figures| figures.made),
    ),
    gauge(
        "weir_cluster_snapshot_sequence",
        In::Numbers,
        "The last record of the log that the newest snapshot has; 0 if there is none",
        |s, f| snapshots(s, f, |figures| figures.newest_seq),
    ),
    gauge(
        "weir_cluster_snapshot_failing",
        In::Numbers,
        "1 if a snapshot of the log went wrong and none has gone well since",
        |s, f| snapshots(s, f, |figures| u64::from(!figures.error.is_empty())),
    ),
];

fn of(s: &Snapshot, f: &mut Samples<'_>, of: fn(&Topology) -> u64) -> fmt::Result {
    let topology = s.figures.topology.as_ref();
    topology.map_or(Ok(()), |topology| f.one(of(topology)))
}

fn role(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let Some(topology) = &s.figures.topology else {
        return Ok(());
    };
    let roles = [Role::Leader, Role::Follower, Role::Candidate];
    roles.into_iter().try_for_each(|role| {
        let labels = [
            ("cluster", topology.name.as_str().into()),
            ("role", role.name().into()),
        ];
        f.labelled(&labels, u64::from(role == topology.role))
    })
}

fn lease(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let until = (s.figures.topology.as_ref()).and_then(|topology| topology.lease_until);
    let left = until.map(|until| until.0.saturating_sub(s.figures.now.mono.0));
    left.map_or(Ok(()), |ms| f.one_f64(seconds(ms)))
}

fn staleness(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let topology = s.figures.topology.as_ref();
    let staleness = topology.and_then(|topology| topology.staleness_ms(s.figures.now));
    staleness.map_or(Ok(()), |ms| f.one_f64(seconds(ms)))
}

fn log_health(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let Some(topology) = &s.figures.topology else {
        return Ok(());
    };
    let labels = [("health", topology.log.name().into())];
    f.labelled(&labels, u64::from(topology.log == LogHealth::Good))
}

fn commits(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    match s.figures.topology {
        Some(_) => stage(s, f, Stage::LogCommit),
        None => Ok(()),
    }
}

fn nodes(s: &Snapshot, f: &mut Samples<'_>, of: fn(&Topology, &Node) -> u64) -> fmt::Result {
    let topology = s.figures.topology.iter();
    let mut nodes =
        topology.flat_map(|topology| topology.nodes.iter().map(move |it| (topology, it)));
    nodes.try_for_each(|(topology, node)| {
        f.labelled(&[("node", node.address().into())], of(topology, node))
    })
}

fn silences(s: &Snapshot, f: &mut Samples<'_>) -> fmt::Result {
    let topology = s.figures.topology.iter();
    let mut nodes =
        topology.flat_map(|topology| topology.nodes.iter().map(move |it| (topology, it)));
    nodes.try_for_each(|(topology, node)| {
        let ms = topology.silent_ms(node, s.figures.now);
        f.labelled_f64(&[("node", node.address().into())], seconds(ms))
    })
}

fn log_servers(s: &Snapshot, f: &mut Samples<'_>, of: fn(&LogServer) -> u64) -> fmt::Result {
    let topology = s.figures.topology.iter();
    let mut servers = topology.flat_map(|topology| &topology.figures.servers);
    servers
        .try_for_each(|server| f.labelled(&[("server", server.name.as_str().into())], of(server)))
}

fn snapshots(s: &Snapshot, f: &mut Samples<'_>, of: fn(&LogSnapshotFigures) -> u64) -> fmt::Result {
    let figures = s.figures.shell.log_snapshots.as_ref();
    figures.map_or(Ok(()), |figures| f.one(of(figures)))
}
