//! What followers do for others: they answer reads, and make the snapshots that let the log be
//! trimmed.

use replication::{Position, Seq, Status};

use super::{Happening, MACHINES, World};
use crate::replication_run::model::{KEYS, Model};

impl World {
    /// A follower answers a read, or makes a snapshot.
    pub(super) fn follower(&mut self) {
        self.at_ms(20, 400, Happening::Follower);
        let machine = self.rng.index(MACHINES);
        let it = &self.machines[machine];
        let Some(process) = it.process.as_ref().filter(|_| it.paused_until <= self.now) else {
            return;
        };
        if process.node.status() != Status::Following || !process.node.has_caught_up() {
            return;
        }
        let key = self.rng.index(KEYS);
        let list = process.model.list(key);
        self.counts.follower_reads += 1;
        self.audit.follower_showed(key, list);
        if self.rng.once_in(40) {
            let snapshot = (*process.node.position(), process.model.clone());
            self.keep_snapshot(snapshot);
        }
    }

    /// Keeps the two newest snapshots, and trims the log behind the older one.
    fn keep_snapshot(&mut self, snapshot: (Position, Model)) {
        let is_newer = |(at, _): &(Position, Model)| at.seq < snapshot.0.seq;
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
