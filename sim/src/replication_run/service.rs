//! The simulated log service: it keeps numbered records, and appends one if the last number is what
//! the caller expects.
//!
//! What was appended is first proposed, and kept for ever once it is committed. When the service
//! changes its own leader, some of what was proposed is kept and the rest is lost; nobody is told
//! which.

use std::collections::VecDeque;

use replication::{Seq, Ticket};

use crate::rng::Rng;

/// Who published something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Publisher {
    pub(super) machine: usize,
    pub(super) life: u64,
    pub(super) ticket: Ticket,
}

#[derive(Debug)]
struct Proposal {
    by: Publisher,
    bytes: Vec<u8>,
}

/// What becomes of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Append {
    /// It will be committed, unless the service fails over.
    Proposed,
    /// The last number is another.
    Refused,
    /// There is nobody to take it.
    NoLeader,
}

/// The service.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// What readers are given: the record behind number `n` is at `n - 1`. `None` if it was lost.
    records: Vec<Option<Vec<u8>>>,
    /// What was committed, whatever became of it.
    truth: Vec<Vec<u8>>,
    proposed: VecDeque<Proposal>,
    /// How many records at the front are gone as planned.
    trimmed: usize,
    pub(super) has_no_leader: bool,
    /// How far the answers of the one that appends may be behind.
    pub(super) stale_records: u64,
}

impl Service {
    /// A publish arrives.
    pub(super) fn append(
        &mut self,
        by: Publisher,
        expected: Option<Seq>,
        bytes: Vec<u8>,
    ) -> Append {
        if self.has_no_leader {
            return Append::NoLeader;
        }
        let last = self.last().0 + self.proposed.len() as u64;
        if expected.is_some_and(|expected| expected.0 != last) {
            return Append::Refused;
        }
        self.proposed.push_back(Proposal { by, bytes });
        Append::Proposed
    }

    /// Commits what was proposed first.
    pub(super) fn commit(&mut self) -> Option<(Publisher, Seq)> {
        if self.has_no_leader {
            return None;
        }
        let Proposal { by, bytes } = self.proposed.pop_front()?;
        self.truth.push(bytes.clone());
        self.records.push(Some(bytes));
        Some((by, self.last()))
    }

    /// The service loses its leader.
    pub(super) fn lose_leader(&mut self) {
        self.has_no_leader = true;
    }

    /// It has one again, which has only some of what was proposed. Returns how much was lost.
    pub(super) fn elect(&mut self, rng: &mut Rng) -> usize {
        self.has_no_leader = false;
        let kept = rng.index(self.proposed.len() + 1);
        let lost = self.proposed.len() - kept;
        self.proposed.truncate(kept);
        lost
    }

    /// The last record that was committed.
    pub(super) fn last(&self) -> Seq {
        Seq(self.records.len() as u64)
    }

    /// The first record that was not trimmed.
    pub(super) fn first(&self) -> Seq {
        Seq(self.trimmed as u64 + 1)
    }

    /// The records from `from` to `to`, with their numbers.
    pub(super) fn read(&self, from: Seq, to: Seq) -> Vec<(Seq, Vec<u8>)> {
        let from = from.max(self.first());
        let numbers = from.0..=to.0.min(self.last().0);
        let found = numbers.filter_map(|number| {
            let record = self.records.get(index(Seq(number)))?.clone()?;
            Some((Seq(number), record))
        });
        found.collect()
    }

    /// What was committed, from the start, trimmed or not.
    pub(super) fn truth(&self) -> &[Vec<u8>] {
        &self.truth
    }

    /// Drops what is before this record.
    pub(super) fn trim(&mut self, first: Seq) {
        let trimmed = index(first).min(self.records.len());
        for record in &mut self.records[self.trimmed.min(trimmed)..trimmed] {
            *record = None;
        }
        self.trimmed = self.trimmed.max(trimmed);
    }

    /// Loses the records behind this one, and what was proposed.
    pub(super) fn lose_behind(&mut self, last: Seq) {
        let left = index(last.next());
        self.records.truncate(left);
        self.truth.truncate(left);
        self.proposed.clear();
    }

    /// Loses a record.
    pub(super) fn lose(&mut self, seq: Seq) {
        self.records[index(seq)] = None;
    }

    /// Changes a bit of a record.
    pub(super) fn flip(&mut self, seq: Seq, rng: &mut Rng) {
        if let Some(bytes) = &mut self.records[index(seq)] {
            let at = rng.index(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
    }
}

fn index(seq: Seq) -> usize {
    usize::try_from(seq.0.saturating_sub(1)).unwrap_or(usize::MAX)
}
