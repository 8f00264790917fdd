//! What followers do for others: they answer reads, and make the snapshots that let the log be
//! trimmed.

use anyhow::Result;
use replication::{Position, Seq, Status};

use super::{Happening, MACHINES, World};
use crate::replication_run::audit::shown_by;
use crate::replication_run::clients::STREAMS;
use crate::replication_run::replica::snapshot_of;

impl World {
    /// A follower answers a read, or makes a snapshot.
    pub(super) fn follower(&mut self) -> Result<()> {
        self.at_ms(20, 400, Happening::Follower);
        let machine = self.rng.index(MACHINES);
        let it = &mut self.machines[machine];
        let wall = it.wall(self.now);
        let is_paused = it.paused_until > self.now;
        let Some(process) = it.process.as_mut().filter(|_| !is_paused) else {
            return Ok(());
        };
        let is_all_durable = process.leads().is_none() || process.durable == process.replica.lsn();
        if is_all_durable && self.rng.once_in(20) {
            let (lsn, state) = (process.replica.lsn(), process.replica.freeze());
            self.audit.state_is(lsn, wall, state);
        }
        if process.node.status() != Status::Following || !process.node.has_caught_up() {
            return Ok(());
        }
        let shown = shown_by(&mut process.replica, self.rng.index(STREAMS), wall)?;
        self.counts.follower_reads += 1;
        self.audit.follower_showed(shown);
        if self.rng.once_in(40) {
            let bytes = snapshot_of(&process.replica.freeze(), wall)?;
            let snapshot = (*process.node.position(), bytes);
            self.keep_snapshot(snapshot);
        }
        Ok(())
    }

    /// Keeps the two newest snapshots, and trims the log behind the older one.
    fn keep_snapshot(&mut self, snapshot: (Position, Vec<u8>)) {
        let is_newer = |(at, _): &(Position, Vec<u8>)| at.seq < snapshot.0.seq;
        if !self.snapshots.back().is_none_or(is_newer) {
            return;
        }
        self.snapshots.push_back(snapshot);
        if self.snapshots.len() > 2 {
            self.snapshots.pop_front();
        }
        if let Some((at, _)) = self.snapshots.front() {
            self.counts.trims += u64::from(at.seq > Seq::ZERO);
            let first = at.seq.next();
            self.service.trim(first);
        }
    }
}
