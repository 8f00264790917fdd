//! The place where snapshots are kept, which all machines see.

use std::collections::BTreeMap;

use replication::{Seq, Snapshots};

use crate::replication_run::world::Instant;
use crate::rng::Rng;

/// The snapshots that count, and what machines say of how far they have read.
#[derive(Debug, Default)]
pub(super) struct Store {
    checked: BTreeMap<Seq, Vec<u8>>,
    /// When each machine said so.
    read: BTreeMap<usize, (Instant, Seq)>,
}

/// A follower that has said nothing for so long, in milliseconds, is taken for dead.
const SILENT_MS_MAX: u64 = 3000;

/// What becomes of a snapshot on its way into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Its end is missing.
    Torn,
    /// A bit is wrong.
    Flipped,
    /// It is that of another state.
    Mistaken,
}

impl Flaw {
    pub(super) fn draw(rng: &mut Rng) -> Flaw {
        [Flaw::Torn, Flaw::Flipped, Flaw::Mistaken][rng.index(3)]
    }
}

impl Store {
    /// The snapshots that count.
    pub(super) fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.checked.keys().copied())
    }

    pub(super) fn keep(&mut self, seq: Seq, bytes: Vec<u8>) {
        self.checked.insert(seq, bytes);
    }

    pub(super) fn read(&self, seq: Seq) -> Option<&[u8]> {
        self.checked.get(&seq).map(Vec::as_slice)
    }

    /// Removes those that nobody needs.
    pub(super) fn clean_up(&mut self) {
        for seq in self.snapshots().surplus() {
            self.checked.remove(seq);
        }
    }

    /// Forgets what is of a later record.
    pub(super) fn forget_behind(&mut self, seq: Seq) {
        self.checked.retain(|at, _| *at <= seq);
    }

    /// A machine says how far it has read.
    pub(super) fn note_read(&mut self, machine: usize, now: Instant, seq: Seq) {
        self.read.insert(machine, (now, seq));
    }

    /// How far those have read that have said so of late.
    pub(super) fn live(&self, now: Instant) -> impl Iterator<Item = Seq> {
        let is_live = move |at: Instant| at.plus_ms(SILENT_MS_MAX) >= now;
        let reads = self.read.values();
        reads
            .filter(move |(at, _)| is_live(*at))
            .map(|(_, seq)| *seq)
    }
}
