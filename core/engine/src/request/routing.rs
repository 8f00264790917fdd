//! Where a request belongs in a group of nodes: here, at the leader, or nowhere.
//!
//! The leader serves everything. A follower serves what only reads, if what it has is new enough.
//! Where the protocol of a cluster is spoken (`cluster-protocol`), it sends what has keys to the
//! leader, unless the client has said `READONLY`, and the keys of a request have to be in one slot,
//! as in Redis: clients that work with weir then work with a cluster of more shards.

use resp::Argv;

use crate::clients::session::{Queue, Session};
use crate::command::Mode;
use crate::error::{CmdError, TopologyError};
use crate::server::Server;
use crate::table::{Flags, Row, keys_of};
use crate::time::{Mono, Now};
use crate::topology::{Slot, Topology};

impl Server {
    /// Returns whether this node may serve a request. Not inlined, because a server that is alone
    /// never asks.
    #[inline(never)]
    pub(crate) fn check_place(
        &self,
        session: &Session,
        row: &Row,
        argv: Argv<'_>,
        mode: Mode,
    ) -> Result<(), CmdError> {
        let Some(topology) = &self.topology else {
            return Ok(());
        };
        if topology.leads() && !self.config.cluster_protocol {
            return Ok(());
        }
        let queue = session.transaction.as_ref();
        let queue = queue.filter(|_| row.spec.flags.has(Flags::RUNS_QUEUE));
        let writes = queue
            .map_or(row.spec.flags, |queue| queue.flags)
            .has(Flags::WRITE);
        if self.config.cluster_protocol {
            let slot = match queue {
                Some(queue) => self.slot_of_queue(queue)?,
                None => slot_of(row, argv)?,
            };
            let is_read_here = topology.leads() || (session.reads_here && !writes);
            if let Some(slot) = slot
                && !is_read_here
            {
                return Err(elsewhere(topology, slot, mode).into());
            }
        }
        if topology.leads() {
            return Ok(());
        }
        if writes {
            return Err(TopologyError::ReadOnlyReplica.into());
        }
        let is_fresh = row.spec.flags.has(Flags::STALE)
            || mode == Mode::Resumed
            || self.is_fresh(topology, session.last_request);
        match is_fresh {
            true => Ok(()),
            false => Err(TopologyError::TooStale.into()),
        }
    }

    /// Returns whether this server answers reads: it leads or is alone, or what it has of the log
    /// is new enough.
    pub fn shows_data(&self, now: Now) -> bool {
        let topology = self.topology();
        topology.is_none_or(|topology| topology.leads() || self.is_fresh(topology, now.mono))
    }

    /// Refuses what a request is about to write that was admitted as one that only reads
    /// (`DEBUG POPULATE`). Most commands say in the table that they write, and never ask.
    ///
    /// # Errors
    /// This node follows, hands the lead over, or takes no writes at the moment.
    pub fn check_unannounced_write(&self) -> Result<(), CmdError> {
        if self.follows() {
            return Err(TopologyError::ReadOnlyReplica.into());
        }
        if self.pause.is_handing_over() {
            return Err(TopologyError::FailoverInProgress.into());
        }
        self.writes.refusal(false).map_or(Ok(()), Err)
    }

    /// Returns whether what this node has is new enough to be shown.
    fn is_fresh(&self, topology: &Topology, now: Mono) -> bool {
        let now = Now {
            mono: now,
            ..Now::default()
        };
        let bound_ms = self.config.staleness_ms_max;
        let staleness_ms = topology.staleness_ms(now);
        staleness_ms.is_some_and(|staleness_ms| bound_ms == 0 || staleness_ms <= bound_ms)
    }

    /// The slot of all keys of a transaction, if it has any.
    fn slot_of_queue(&self, queue: &Queue) -> Result<Option<Slot>, TopologyError> {
        let mut slot = None;
        for request in &queue.requests {
            let argv = request.as_argv();
            if let Some((row, _)) = self.commands.find_request(argv) {
                slot = one(slot, slot_of(row, argv)?)?;
            }
        }
        Ok(slot)
    }

    /// Returns whether clients are served as by a node of a cluster.
    pub fn is_in_cluster(&self) -> bool {
        self.topology.is_some() && self.config.cluster_protocol
    }

    /// What the server calls the way in which it serves clients: `standalone` or `cluster`.
    pub fn mode(&self) -> &'static str {
        match self.is_in_cluster() {
            true => "cluster",
            false => "standalone",
        }
    }

    /// What this node knows of its group; `None` if the server is alone.
    pub fn topology(&self) -> Option<&Topology> {
        self.topology.as_deref()
    }

    /// The same in a node of a cluster only.
    ///
    /// # Errors
    /// It is none.
    pub fn cluster(&self) -> Result<&Topology, CmdError> {
        let topology = self.topology().filter(|_| self.config.cluster_protocol);
        topology.ok_or(CmdError::NoCluster)
    }

    /// Returns whether this node follows, so that it may change nothing by itself.
    pub fn follows(&self) -> bool {
        self.topology().is_some_and(|topology| !topology.leads())
    }
}

/// The slot of all keys of a request, if it has any. Names of shard channels count.
fn slot_of(row: &Row, argv: Argv<'_>) -> Result<Option<Slot>, TopologyError> {
    let mut slot = None;
    for found in keys_of(row.spec, argv).map_while(Result::ok) {
        slot = one(slot, Some(Slot::of(found.key)))?;
    }
    Ok(slot)
}

fn one(a: Option<Slot>, b: Option<Slot>) -> Result<Option<Slot>, TopologyError> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Err(TopologyError::CrossSlot),
        _ => Ok(a.or(b)),
    }
}

/// The answer for a slot that this node does not serve.
fn elsewhere(topology: &Topology, slot: Slot, mode: Mode) -> TopologyError {
    match topology.leader() {
        // A client cannot ask elsewhere for a part of a script.
        _ if mode == Mode::Called => TopologyError::NonLocalKey,
        Some(leader) if leader.id != topology.own => TopologyError::Moved {
            slot: slot.number(),
            host: leader.host.clone(),
            port: leader.port,
        },
        Some(_) | None => TopologyError::ClusterDown,
    }
}
