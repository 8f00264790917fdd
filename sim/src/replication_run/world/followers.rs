//! What followers do for others: they answer reads, and make snapshots.

use anyhow::Result;
use replication::Status;

use super::{Happening, MACHINES, World};
use crate::replication_run::audit::shown_by;
use crate::replication_run::clients::STREAMS;

impl World {
    /// A follower answers a read, and makes a snapshot if one is due.
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
        self.make_snapshot(machine)
    }
}
