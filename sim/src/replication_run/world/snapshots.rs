//! Snapshots: a follower makes one, reads it back before it counts, and trims the log.

use anyhow::{Context, Result, ensure};
use engine::Now;
use persistence::snapshot::Contents;
use replication::{NodeId, Position, Seq, Snapshots, Status};

use super::{Happening, World};
use crate::replication_run::replica::{self, Replica};
use crate::replication_run::store::Flaw;
use crate::replication_run::{Bug, Damage};

/// After how many records there is a snapshot.
const RECORDS: u64 = 150;

/// A snapshot that is on its way into the store.
#[derive(Clone, Debug)]
pub(super) struct Making {
    machine: usize,
    life: u64,
    at: Position,
    bytes: Vec<u8>,
    contents: Contents,
    /// It was damaged on its way.
    is_flawed: bool,
    /// When it was made, as the machine believes.
    now: Now,
}

impl World {
    /// A follower says how far it has read, and makes a snapshot if one is due.
    pub(super) fn make_snapshot(&mut self, machine: usize) -> Result<()> {
        let it = &self.machines[machine];
        let now = it.wall(self.now);
        let Some(process) = &it.process else {
            return Ok(());
        };
        let at = *process.node.position();
        self.store.note_read(machine, self.now, at.seq);
        let node = NodeId(machine as u64);
        let is_behind =
            process.replica.lsn() != at.lsn || process.node.status() != Status::Following;
        let is_due = self.store.snapshots().is_due(&at, RECORDS, node);
        if is_behind || !is_due || self.is_making[machine] {
            return Ok(());
        }
        let view = process.replica.freeze();
        let mut bytes = replica::snapshot_of(&view, &at, now)?;
        let is_flawed = !self.faults_are_over() && self.rng.once_in(4);
        if is_flawed {
            match Flaw::draw(&mut self.rng) {
                Flaw::Torn => bytes.truncate(self.rng.index(bytes.len())),
                Flaw::Flipped => {
                    let index = self.rng.index(bytes.len());
                    bytes[index] ^= 1 << self.rng.below(8);
                }
                Flaw::Mistaken => {
                    bytes = replica::snapshot_of(&Replica::new(now)?.freeze(), &at, now)?;
                }
            }
        }
        let making = Making {
            machine,
            life: it.life,
            at,
            bytes,
            contents: Contents::of(&view, now),
            is_flawed,
            now,
        };
        self.is_making[machine] = true;
        self.at_ms(20, 2000, Happening::SnapshotWritten(Box::new(making)));
        Ok(())
    }

    /// A snapshot is in the store. It counts if it is what it was made of.
    pub(super) fn snapshot_written(&mut self, making: Making) -> Result<()> {
        let machine = making.machine;
        self.is_making[machine] = false;
        if self.machines[machine].life != making.life {
            return Ok(());
        }
        let seq = making.at.seq;
        let checked =
            replica::check_snapshot(&making.bytes, &making.at, &making.contents, making.now);
        if let Err(error) = checked
            && self.plan.bug != Some(Bug::TrimmedUnchecked)
        {
            ensure!(making.is_flawed, "a good snapshot is refused: {error}");
            self.counts.snapshots_refused += 1;
            self.note(|| format!("the snapshot of record {seq} does not count: {error}"));
            return Ok(());
        }
        self.counts.snapshots += 1;
        self.note(|| format!("machine {machine} has made a snapshot of record {seq}"));
        self.store.keep(seq, making.bytes);
        let snapshots = self.store.snapshots();
        if let Some(first) = snapshots.trim_to(self.store.live(self.now)) {
            self.counts.trims += u64::from(first > self.service.first());
            self.service.trim(first);
        }
        self.store.clean_up();
        Ok(())
    }

    /// What a machine begins with: the newest snapshot that it can compare with what it knows, or
    /// nothing, at the start of the log.
    pub(super) fn beginning(&mut self, machine: usize) -> Result<(Position, Replica)> {
        let (_, now) = self.clocks(machine);
        let snapshots: Snapshots = self.store.snapshots();
        let Some(seq) = snapshots.beginning(self.machines[machine].kept) else {
            return Ok((Position::default(), Replica::new(now)?));
        };
        self.counts.snapshots_loaded += 1;
        let bytes = self.store.read(seq).context("no such snapshot")?;
        let (at, replica) =
            Replica::load(bytes, now).context("a snapshot that counts cannot be loaded")?;
        ensure!(
            at.seq == seq,
            "the snapshot of record {seq} is of {}",
            at.seq
        );
        Ok((at, replica))
    }

    /// The log has lost what is behind this record. A snapshot of that would bring it back.
    pub(super) fn forget_snapshots_behind(&mut self, left: Seq) {
        debug_assert!(self.plan.damage == Damage::SuffixLost);
        self.store.forget_behind(left);
        for happening in self.queue.values_mut() {
            if let Happening::SnapshotWritten(making) = happening
                && making.at.seq > left
            {
                // As if its maker had crashed.
                making.life = u64::MAX;
            }
        }
    }
}
