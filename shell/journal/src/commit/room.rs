//! What happens where the disk is full.
//!
//! There are two steps down. When a group finds no room, the log frees its reserve
//! ([`Health::OnReserve`]): the group is written, and so is what makes room. When the reserve is
//! used up too, batches are held ([`Health::Full`]) and tried again now and then. The way back is
//! the same: first what is held is written, then the reserve is made again, and then all is good.
//!
//! A rewrite can begin in any state. If batches are held, it covers them too. The log is then
//! behind the snapshot, accepts nothing meanwhile, and continues after it.

use std::time::Duration;

use super::{Commit, Elapsed};
use crate::health::{Fault, Health};
use crate::log::{Log, SnapshotError};
use batch::Lsn;

/// How long a full disk is left alone before the next attempt.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What is known of the room on the disk.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// When the batches that found no room are tried again.
    pub(super) retry_at: Option<Elapsed>,
    /// The reserve was used, and must be made again.
    pub(super) is_spent: bool,
    /// When that is tried.
    look_at: Option<Elapsed>,
    snapshot: Snapshot,
}

/// A snapshot in the making.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Snapshot {
    #[default]
    None,
    /// It needs room, or what it has made superfluous still takes some.
    Begun,
    /// It covers this many bytes of what is held.
    Ahead(usize),
}

impl Room {
    /// The room of a log that is opened: it keeps a reserve from here on, if it can.
    pub(super) fn of(log: &mut impl Log) -> Room {
        let made = log.make_reserve();
        if let Err(fault) = &made {
            tracing::warn!(%fault, "there is no room for the journal's reserve");
        }
        Room {
            is_spent: made.is_err(),
            ..Room::default()
        }
    }

    /// Returns whether a snapshot is written that covers more than the log.
    pub(super) fn is_behind_snapshot(&self) -> bool {
        matches!(self.snapshot, Snapshot::Ahead(_))
    }

    /// Takes note that a snapshot was begun, which covers this many bytes of what is held.
    pub(super) fn snapshot_begun(&mut self, ahead: Option<usize>) {
        self.snapshot = ahead.map_or(Snapshot::Begun, Snapshot::Ahead);
        if ahead.is_some() {
            self.retry_at = None;
        }
    }

    /// Takes note that a snapshot needs no more room, and that there may be some.
    pub(super) fn snapshot_ended(&mut self) {
        self.snapshot = Snapshot::None;
        self.retry_at = None;
        self.look_at = None;
    }
}

impl<L: Log> Commit<L> {
    /// Begins a snapshot; if there is no room for it, with the reserve.
    pub(super) fn begin_snapshot(&mut self, at: Lsn) -> Result<L::Sink, SnapshotError> {
        let begun = self.log.begin_snapshot(at);
        match &begun {
            // While all is well, a rewrite that finds no room must not use up the reserve.
            Err(SnapshotError::Failed(fault)) if fault.is_full() && !self.health.is_good() => {}
            Ok(_) | Err(_) => return begun,
        }
        if self.log.spend_reserve() {
            self.room.is_spent = true;
            return self.log.begin_snapshot(at);
        }
        begun
    }

    /// Takes note that the log begins with a new snapshot.
    pub(super) fn snapshot_put(&mut self) {
        if let Snapshot::Ahead(bytes) = self.room.snapshot {
            let covered = self.held.split_front(bytes);
            self.flush.written.take_over(covered);
            self.sync.uncovered_since = None;
            self.sync.uncovered_bytes = 0;
            self.wrote_again();
        }
        // What it made superfluous goes now.
        self.room.snapshot = Snapshot::Begun;
        // A log that is trusted again takes what waits, or says at once that it cannot.
        self.room.retry_at = None;
    }

    pub(super) fn give_snapshot_up(&mut self) {
        self.log.abandon_snapshot();
        self.room.snapshot_ended();
    }

    /// There was no room for what is held, and none left to free.
    pub(super) fn is_full(&mut self, fault: Fault, now: Elapsed) {
        // A log that is not trusted stays so, or the batches that it dropped would be released.
        if !matches!(self.health, Health::Poisoned(_)) {
            if self.health.releases() {
                tracing::warn!(%fault, "the disk is full: nothing can be written");
            }
            self.health = Health::Full(fault);
        }
        self.room.retry_at = Some(now.plus(RETRY_INTERVAL));
    }

    /// What was held is in the log.
    pub(super) fn wrote_again(&mut self) {
        if let Health::Full(fault) = &self.health {
            self.health = Health::OnReserve(fault.clone());
            self.room.is_spent = true;
            self.room.look_at = None;
        }
    }

    /// When to see whether there is room to keep again.
    pub(super) fn next_look_for_room(&self) -> Option<Elapsed> {
        let is_due = self.room.is_spent
            && self.held.is_empty()
            && self.room.snapshot == Snapshot::None
            && self.health.releases();
        is_due.then(|| self.room.look_at.unwrap_or_default())
    }

    /// Keeps room again, now that nothing else needs it. With that, all is well.
    pub(super) fn make_reserve(&mut self, now: Elapsed) {
        if self.next_look_for_room().is_none_or(|at| now < at) {
            return;
        }
        if self.log.make_reserve().is_err() {
            self.room.look_at = Some(now.plus(RETRY_INTERVAL));
            return;
        }
        self.room.is_spent = false;
        self.room.look_at = None;
        if !self.health.is_good() {
            tracing::info!("there is room on the disk again");
            self.health = Health::Good;
        }
    }
}
