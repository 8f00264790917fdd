//! The group of servers that share a log, as this one sees it, and handing its lead over.

use engine::Now;
use engine::observe::stages::Stage;
use engine::server::LogSnapshotFigures;
use engine::topology::{Node, Topology};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actions::{done, run, say};
use super::answer;
use super::server::Times;
use crate::client::ClientError;
use crate::http::{Answer, Fault};
use crate::routes::Asked;

/// The group that this server is a node of.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Cluster {
    name: String,
    /// What this node does: `leader`, `follower` or `candidate`.
    role: &'static str,
    epoch: u64,
    /// Where the leader is, or the last one; null while none is known.
    leader: Option<String>,
    /// How often a leader began to lead since this node had read the log.
    elections: u64,
    /// For how long this leader may still answer; null of a follower.
    lease_ms: Option<u64>,
    /// By how much what this node shows may be out of date; null while it has nothing to show.
    staleness_ms: Option<u64>,
    /// The last batch that is in the log for ever, as far as this node knows.
    durable_lsn: u64,
    log: Log,
    /// What this node has led into the log since it began.
    commits: Commits,
    nodes: Vec<ClusterNode>,
    /// Snapshots of the log; null if no place is named for them.
    snapshots: Option<LogSnapshots>,
}

/// The log of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Log {
    /// `good`, `in-doubt`, `unavailable` or `stopped`.
    health: &'static str,
    /// The last record that this node knows.
    sequence: u64,
    /// Records that this leader has sent and that are not known to be there.
    records_under_way: u64,
    /// Bytes that are not there for certain, those that are not sent yet included.
    backlog_bytes: u64,
    /// How often this leader did not know what had become of its records.
    doubts: u64,
    /// The NATS server that this node is connected to.
    connected: String,
    /// Those that keep the log; none if nobody tells.
    servers: Vec<LogServer>,
}

/// A server that keeps the log of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogServer {
    name: String,
    leads: bool,
    /// It has what its leader has.
    current: bool,
    /// Records that it is behind.
    lag: u64,
}

/// What a leader has appended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Commits {
    /// How often batches went to the log.
    groups: u64,
    /// Requests and transactions in them.
    batches: u64,
    bytes: u64,
    /// How long it took until they were there.
    times: Times,
}

/// A node of a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClusterNode {
    /// Where clients reach it.
    address: String,
    version: String,
    leads: bool,
    /// It is the one that answers.
    this: bool,
    /// The last batch that it has applied, as it last said.
    applied_lsn: u64,
    /// Batches in the log that it has not applied.
    lag: u64,
    silent_ms: u64,
    /// It has been silent for too long.
    down: bool,
}

/// Snapshots behind which the log is trimmed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogSnapshots {
    /// The last record that the newest has; 0 if there is none.
    newest_sequence: u64,
    /// How many this node has made.
    made: u64,
    making: bool,
    took_ms: u64,
    /// The first record that the log has kept when this node last trimmed it; 0 if it never did.
    trimmed_to: u64,
    /// What went wrong last, and has not gone well since; null if nothing.
    error: Option<String>,
}

/// Who is to lead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failover {
    /// The address of a node; the one that has applied the most, unless it is given.
    to: Option<String>,
}

impl ClusterNode {
    fn of(topology: &Topology, node: &Node, now: Now) -> ClusterNode {
        ClusterNode {
            address: node.address(),
            version: node.version.clone(),
            leads: Some(node.id) == topology.leader,
            this: node.id == topology.own,
            applied_lsn: node.applied.number(),
            lag: topology.lag(node),
            silent_ms: topology.silent_ms(node, now),
            down: node.is_down,
        }
    }
}

impl From<&LogSnapshotFigures> for LogSnapshots {
    fn from(figures: &LogSnapshotFigures) -> LogSnapshots {
        LogSnapshots {
            newest_sequence: figures.newest_seq,
            made: figures.made,
            making: figures.is_making,
            took_ms: figures.took_ms,
            trimmed_to: figures.trimmed_to,
            error: Some(figures.error.clone()).filter(|error| !error.is_empty()),
        }
    }
}

pub(crate) async fn look(asked: Asked<'_>) -> Result<Answer, Fault> {
    let caller = asked.caller;
    caller.rights().await?.sees_server()?;
    let cluster = caller.served.shard.look(|engine, now| {
        let server = &engine.server;
        let topology = server.topology()?;
        let (figures, journal) = (&topology.figures, &server.shell.persistence.journal);
        let lease = topology.lease_until;
        let nodes = topology.nodes.iter();
        let servers = figures.servers.iter().map(|server| LogServer {
            name: server.name.clone(),
            leads: server.leads,
            current: server.is_current,
            lag: server.lag,
        });
        Some(Cluster {
            name: topology.name.clone(),
            role: topology.role.name(),
            epoch: topology.epoch,
            leader: topology.leader().map(Node::address),
            elections: figures.elections,
            lease_ms: lease.map(|until| until.0.saturating_sub(now.mono.0)),
            staleness_ms: topology.staleness_ms(now),
            durable_lsn: topology.durable.number(),
            log: Log {
                health: topology.log.name(),
                sequence: figures.sequence,
                records_under_way: figures.under_way,
                backlog_bytes: journal.backlog_bytes,
                doubts: figures.doubts,
                connected: figures.connected.clone(),
                servers: servers.collect(),
            },
            commits: Commits {
                groups: journal.groups,
                batches: journal.batches,
                bytes: journal.bytes,
                times: Times::of(server.stages.of(Stage::LogCommit)),
            },
            nodes: nodes
                .map(|node| ClusterNode::of(topology, node, now))
                .collect(),
            snapshots: server.shell.log_snapshots.as_ref().map(LogSnapshots::from),
        })
    });
    answer(&cluster.ok_or_else(alone)?)
}

pub(crate) async fn failover(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: Failover = asked.body()?;
    asked.caller.rights().await?.sees_server()?;
    let mut command = vec![b"FAILOVER".to_vec()];
    let shard = &asked.caller.served.shard;
    let topology = shard.look(|engine, _| engine.server.topology().cloned());
    let topology = topology.ok_or_else(alone)?;
    if !topology.leads() {
        let leader = topology
            .leader()
            .map_or_else(|| "nobody".to_owned(), Node::address);
        let why = format!("ERR this server follows; {leader} leads, and hands over");
        return Err(ClientError::Refused(why).into());
    }
    let to = match &body.to {
        None => topology.successor(),
        Some(to) => topology.followers().find(|node| node.address() == *to),
    };
    let to = to.filter(|node| !node.is_down).ok_or_else(|| {
        let why = "ERR there is no such follower that is heard of".to_owned();
        Fault::from(ClientError::Refused(why))
    })?;
    command.extend([b"TO".as_slice(), to.host.as_bytes()].map(<[u8]>::to_vec));
    command.push(to.port.to_string().into_bytes());
    let summary = format!(
        "hands the lead over to {}, which is {} batches behind; writes wait for that, and clients \
         of this server are disconnected",
        to.address(),
        topology.lag(to),
    );
    if asked.query.flag("dry-run") {
        return say(&asked, &command, summary, 1);
    }
    run(&mut asked, &command).await?;
    answer(&done(&command, summary, 1))
}

fn alone() -> Fault {
    Fault::not_found("this server is alone: it shares no log")
}
