//! The group of nodes that share a log, as this one sees it: who leads, who follows, how far each
//! is.
//!
//! A server without a group has no [`Topology`], and answers as one that is alone. With one, the
//! owner of the engine hands in a new view whenever something has changed
//! ([`crate::Engine::set_topology`]); nothing in here finds anything out. Requests are admitted by
//! it, and clients that speak to Sentinels or to a cluster are answered from it.
//! `docs/replication.md` says what they are told.

mod log_figures;
mod news;
mod node_id;
mod slot;

use batch::Lsn;

use crate::time::{Mono, Now};

pub use log_figures::{LogFigures, LogServer};
pub(crate) use news::changes;
pub use node_id::{NODE_ID_BYTES, NodeId};
pub use slot::{SLOTS, Slot};

/// A group of nodes. One of them leads; all slots of a cluster are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The group's name. Clients of Sentinels know the master by it.
    pub name: String,
    /// Which of the nodes this one is.
    pub own: NodeId,
    /// What this node does.
    pub role: Role,
    /// The epoch of the leader; it grows with each change of the lead.
    pub epoch: u64,
    /// Who leads, or was the last that did; `None` until one is known. It is one of the nodes.
    pub leader: Option<NodeId>,
    /// Every node of the group that this one knows of, itself included, each once.
    pub nodes: Vec<Node>,
    /// After how many milliseconds of silence a node counts as down.
    pub down_after_ms: u64,
    /// Until when a leader may answer clients; `None` for all others.
    pub lease_until: Option<Mono>,
    /// The last batch that the log keeps for ever, as far as this node knows.
    pub durable: Lsn,
    /// When this node last had all that was in the log. `None` while it has no state that it could
    /// show. For a leader this says nothing.
    pub current_at: Option<Mono>,
    /// How the log is.
    pub log: LogHealth,
    /// What this node has counted and was told of the log.
    pub figures: LogFigures,
}

/// One node of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name to clients.
    pub id: NodeId,
    /// The host that clients connect to: an address or a name.
    pub host: String,
    /// The port that clients connect to.
    pub port: u16,
    /// The last batch that it has applied.
    pub applied: Lsn,
    /// When it was last heard of. For this node itself that means nothing.
    pub heard: Mono,
    /// It has been silent for too long.
    pub is_down: bool,
    /// The version that it runs; empty if unknown.
    pub version: String,
}

/// What a node does in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It executes requests, and appends what they did to the log.
    Leader,
    /// It applies what is in the log.
    Follower,
    /// It follows, has heard nothing of a leader, and tries to become one.
    Candidate,
}

/// How the log of a group is, to one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogHealth {
    /// It answers.
    Good,
    /// This node leads, and finds out what became of records. Nothing becomes durable meanwhile.
    InDoubt,
    /// It does not answer.
    Unavailable,
    /// It cannot be trusted; the sentence says why. Somebody has to look.
    Stopped(String),
}

impl Role {
    /// The word for it in `INFO`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
        }
    }
}

impl LogHealth {
    /// The word for it in `INFO`.
    pub fn name(&self) -> &'static str {
        match self {
            LogHealth::Good => "good",
            LogHealth::InDoubt => "in-doubt",
            LogHealth::Unavailable => "unavailable",
            LogHealth::Stopped(_) => "stopped",
        }
    }
}

impl Node {
    /// Where clients connect to, as `HOST:PORT`.
    pub fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl Topology {
    /// Returns whether this node leads.
    #[inline]
    pub fn leads(&self) -> bool {
        self.role == Role::Leader
    }

    /// The node of this name, if it is in the group.
    pub fn find(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// Who leads, or was the last that did.
    pub fn leader(&self) -> Option<&Node> {
        self.find(self.leader?)
    }

    /// This node.
    pub fn own(&self) -> Option<&Node> {
        self.find(self.own)
    }

    /// All nodes but the leader.
    pub fn followers(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| Some(node.id) != self.leader)
    }

    /// All nodes but this one.
    pub fn others(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.id != self.own)
    }

    /// How long ago a node was heard of, in milliseconds; this node is always.
    pub fn silent_ms(&self, node: &Node, now: Now) -> u64 {
        match node.id == self.own {
            true => 0,
            false => now.mono.0.saturating_sub(node.heard.0),
        }
    }

    /// How many batches of the log a node has not applied, as far as this one knows.
    pub fn lag(&self, node: &Node) -> u64 {
        self.durable.number().saturating_sub(node.applied.number())
    }

    /// The follower that is to lead next: one that is heard of, and has applied the most.
    pub fn successor(&self) -> Option<&Node> {
        let live = self.followers().filter(|node| !node.is_down);
        live.max_by_key(|node| node.applied)
    }

    /// Returns whether the leader is known and heard of.
    pub fn is_led(&self) -> bool {
        self.leader().is_some_and(|leader| !leader.is_down)
    }

    /// How many followers have applied a batch. The log itself is not among them: that it keeps
    /// the batch is what [`Topology::durable`] says.
    pub fn followers_with(&self, lsn: Lsn) -> usize {
        let have = |node: &&Node| !node.is_down && node.applied >= lsn;
        self.followers().filter(have).count()
    }

    /// By how many milliseconds what this node shows may be out of date; `None` if it has nothing
    /// to show. A leader shows all that there is.
    pub fn staleness_ms(&self, now: Now) -> Option<u64> {
        match self.role {
            Role::Leader => Some(0),
            Role::Follower | Role::Candidate => {
                let at = self.current_at?;
                Some(now.mono.0.saturating_sub(at.0))
            }
        }
    }

    /// More than half of the nodes.
    pub fn quorum(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    /// Names the data of this group, whichever node has them: 40 hexadecimal digits.
    pub fn replication_id(&self) -> NodeId {
        NodeId::of("log", &self.name, 0)
    }

    /// Names the only shard of the group in a cluster.
    pub fn shard_id(&self) -> NodeId {
        NodeId::of("shard", &self.name, 0)
    }
}

#[cfg(test)]
mod tests;
