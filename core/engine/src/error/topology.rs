//! What clients of a group of nodes are told instead of a reply.

use thiserror::Error;

/// Why a node of a group does not serve a request, or does not do what is asked of the group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TopologyError {
    /// Only the leader writes, and this node follows.
    #[error("READONLY You can't write against a read only replica.")]
    ReadOnlyReplica,
    /// The leader has the slot.
    #[error("MOVED {slot} {host}:{port}")]
    Moved {
        /// Of the keys.
        slot: u16,
        /// Where the leader is.
        host: String,
        /// Where the leader is.
        port: u16,
    },
    /// The keys of a request, or of a transaction, are in several slots.
    #[error("CROSSSLOT Keys in request don't hash to the same slot")]
    CrossSlot,
    /// Nobody is known to have the slot.
    #[error("CLUSTERDOWN The cluster is down")]
    ClusterDown,
    /// This node follows, and cannot show what is new enough.
    #[error(
        "MASTERDOWN This node follows, and its data is older than replica-staleness-max allows"
    )]
    TooStale,
    /// A script on a follower reads a key, and its client did not say `READONLY`.
    #[error("ERR Script attempted to access a non local key in a cluster node")]
    NonLocalKey,
    /// A command that a cluster refuses: its name.
    #[error("ERR {0} is not allowed in cluster mode")]
    NotInCluster(&'static str),
    /// Not the number of a slot, in a range of them.
    #[error("ERR Invalid or out of range slot")]
    SlotOutOfRange,
    /// Not a number of slots.
    #[error("ERR Limit has to lie in between 1 and 16384 (maximum number of slots).")]
    SlotLimit,
    /// Not the number of a slot.
    #[error("ERR Invalid slot")]
    InvalidSlot,
    /// Not the number of a slot, or a negative count.
    #[error("ERR Invalid slot or number of keys")]
    InvalidSlotOrCount,
    /// A range of slots that ends before it begins.
    #[error("ERR Start slot number {0} is greater than end slot number {1}")]
    SlotsReversed(u16, u16),
    /// What slots cannot be ordered by.
    #[error("ERR Unrecognized sort metric for ORDERBY.")]
    SlotMetric,
    /// No node of the group has this name.
    #[error("ERR Unknown node {0}")]
    UnknownNode(String),
    /// `CLUSTER REPLICAS` of a node that follows.
    #[error("ERR The specified node is not a master")]
    NotTheLeader,
    /// What changes a cluster by hand.
    #[error("ERR The nodes of a group share all slots and find their leader by themselves")]
    NotByHand,
    /// `CLUSTER FAILOVER` of the leader.
    #[error("ERR You should send CLUSTER FAILOVER to a replica")]
    LeaderWantsToLead,
    /// What only the leader can do; where it is.
    #[error("ERR This node follows; send FAILOVER to the leader, {host}:{port}")]
    AskTheLeader {
        /// Where the leader is.
        host: String,
        /// Where the leader is.
        port: u16,
    },
    /// The same while nobody leads.
    #[error("ERR No node leads now; the nodes elect a leader by themselves")]
    NobodyLeads,
    /// `SENTINEL` about a group that is not this one.
    #[error("ERR No such master with that name")]
    NoSuchMaster,
    /// `SENTINEL CKQUORUM` while no other node could lead.
    #[error("NOQUORUM {usable} usable Sentinels. {reason}")]
    NoQuorum {
        /// How many nodes are heard of, this one included.
        usable: usize,
        /// Why none of them could take over.
        reason: &'static str,
    },
    /// `REPLICAOF` on a node of a group.
    #[error(
        "ERR The nodes of a group follow their leader by themselves; FAILOVER hands the lead over"
    )]
    FollowsByItself,
    /// `REPLICAOF` in a cluster.
    #[error("ERR REPLICAOF not allowed in cluster mode.")]
    ReplicaOfInCluster,
    /// `FAILOVER` of a follower.
    #[error("ERR FAILOVER is not valid when server is a replica.")]
    FailoverOfReplica,
    /// `FAILOVER` of a leader whom nobody follows.
    #[error("ERR FAILOVER requires connected replicas.")]
    NoReplicas,
    /// `FAILOVER TO` somebody else.
    #[error("ERR FAILOVER target HOST and PORT is not a replica.")]
    NotAReplica,
    /// `FAILOVER TO` a follower that is silent.
    #[error("ERR FAILOVER target replica is not online.")]
    ReplicaIsDown,
    /// `FAILOVER ABORT`: a hand-over ends by itself, within a second.
    #[error("ERR No failover in progress.")]
    NoFailover,
    /// `FAILOVER` while the lead is being handed over.
    #[error("ERR FAILOVER already in progress.")]
    FailoverInProgress,
    /// `SENTINEL FAILOVER` while the lead is being handed over.
    #[error("INPROG Failover already in progress")]
    SentinelFailoverInProgress,
    /// `DEBUG RELOAD` in a group.
    #[error("ERR The nodes of a group load their data from the log that they share")]
    DataIsInLog,
    /// `FAILOVER` with a timeout that is none.
    #[error("ERR FAILOVER timeout must be greater than 0")]
    FailoverTimeout,
    /// `FAILOVER FORCE` without the rest.
    #[error("ERR FAILOVER with force option requires both a timeout and target HOST and IP.")]
    FailoverForce,
    /// `WAIT` on a follower.
    #[error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated."
    )]
    WaitOnReplica,
    /// `WAITAOF` on a follower.
    #[error(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated."
    )]
    WaitAofOnReplica,
}

impl TopologyError {
    /// Returns whether it sends the client elsewhere, or says that the request fits nowhere.
    /// `EXEC` answers it as it is, so that clients understand it.
    pub fn is_about_slots(&self) -> bool {
        matches!(
            self,
            TopologyError::Moved { .. } | TopologyError::CrossSlot | TopologyError::ClusterDown
        )
    }
}
