//! What clients were told, and whether it holds.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use replication::{Entry, Position, Reader, Seq, Verdict};

use crate::replication_run::model::{AppendId, KEYS, Model};
use crate::replication_run::service::Service;
use crate::replication_run::{Counts, Damage, Drift, Plan};

/// The record of what was told.
#[derive(Debug, Default)]
pub(super) struct Audit {
    acknowledged: [Vec<AppendId>; KEYS],
    /// Lists that somebody was shown.
    shown: Vec<(usize, Vec<AppendId>)>,
    /// The epoch of the last leader that answered.
    answered: u64,
}

impl Audit {
    /// How many appends to each key were acknowledged.
    pub(super) fn seen(&self) -> [usize; KEYS] {
        std::array::from_fn(|key| self.acknowledged[key].len())
    }

    /// A leader has answered.
    pub(super) fn leader_answered(
        &mut self,
        plan: &Plan,
        machine: usize,
        epoch: u64,
    ) -> Result<()> {
        let is_checked = plan.drift == Drift::WithinMargin && plan.damage != Damage::SuffixLost;
        ensure!(
            epoch >= self.answered || !is_checked,
            "machine {machine} answered in epoch {epoch}, after a leader of epoch {}",
            self.answered
        );
        self.answered = self.answered.max(epoch);
        Ok(())
    }

    /// An append was acknowledged.
    pub(super) fn acknowledged(&mut self, key: usize, id: AppendId) {
        self.acknowledged[key].push(id);
    }

    /// A leader has shown a list to somebody who asked when `seen` appends to the key had been
    /// acknowledged.
    pub(super) fn leader_showed(
        &mut self,
        plan: &Plan,
        key: usize,
        list: Vec<AppendId>,
        seen: usize,
    ) -> Result<()> {
        let is_checked = plan.drift == Drift::WithinMargin && plan.damage != Damage::SuffixLost;
        let before = &self.acknowledged[key][..seen];
        let lacks = before.iter().find(|id| !list.contains(id));
        ensure!(
            lacks.is_none() || !is_checked,
            "a read of key {key} does not show {lacks:?}, acknowledged before it began"
        );
        self.shown.push((key, list));
        Ok(())
    }

    /// A follower has shown a list.
    pub(super) fn follower_showed(&mut self, key: usize, list: Vec<AppendId>) {
        self.shown.push((key, list));
    }

    /// Everything is over. `serving` are the machines that have not stopped.
    pub(super) fn check(
        &self,
        plan: &Plan,
        service: &Service,
        serving: &[(usize, &Model)],
        counts: &mut Counts,
    ) -> Result<()> {
        let truth = match replay(service.truth(), counts) {
            Ok(truth) => truth,
            // What was lost may not fit what came later. Then everybody stops who reads it.
            Err(error) if plan.damage == Damage::SuffixLost => {
                ensure!(
                    counts.stops > 0,
                    "nobody has noticed that the log is wrong: {error}"
                );
                return Ok(());
            }
            Err(error) => return Err(error.context("reading the log")),
        };
        let lists: Vec<_> = (0..KEYS).map(|key| truth.list(key)).collect();
        exactly_once(&lists)?;
        for (machine, model) in serving {
            ensure!(
                *model == &truth,
                "machine {machine} differs from the log: {model:?}, {truth:?}"
            );
        }
        if plan.damage == Damage::SuffixLost {
            return Ok(());
        }
        for (list, acknowledged) in lists.iter().zip(&self.acknowledged) {
            let lost = acknowledged.iter().find(|id| !list.contains(id));
            ensure!(lost.is_none(), "{lost:?} was acknowledged and is not there");
        }
        for (key, shown) in &self.shown {
            ensure!(
                lists[*key].starts_with(shown),
                "a read of key {key} showed what was undone: {shown:?}, {:?}",
                lists[*key]
            );
        }
        Ok(())
    }
}

/// The state that a log leads to.
fn replay(records: &[Vec<u8>], counts: &mut Counts) -> Result<Model> {
    let mut reader = Reader::new(Position::default(), None);
    let mut model = Model::default();
    for (number, bytes) in (1..).zip(records) {
        counts.records += 1;
        match reader.read(Seq(number), Seq(1), bytes)? {
            Verdict::Void => counts.void += 1,
            Verdict::Valid(Entry::Epoch(..)) => counts.epochs += 1,
            Verdict::Valid(Entry::Group(group)) => model.apply(&group)?,
            Verdict::Valid(Entry::Part | Entry::Beat | Entry::HandOver(_)) => {}
        }
    }
    Ok(model)
}

/// Nothing is there twice, and the appends of each producer are in order.
fn exactly_once(lists: &[Vec<AppendId>]) -> Result<()> {
    let mut all = BTreeSet::new();
    for (key, list) in lists.iter().enumerate() {
        for id in list {
            ensure!(all.insert(*id), "{id:?} is there twice");
        }
        for producer in list.iter().map(|id| id.producer()).collect::<BTreeSet<_>>() {
            let own = list.iter().filter(|id| id.producer() == producer);
            ensure!(
                own.is_sorted(),
                "key {key} is not in the order of producer {producer}"
            );
        }
    }
    Ok(())
}

/// What a machine knew of a log when that lost a part.
#[derive(Debug)]
pub(super) struct Knew {
    pub(super) machine: usize,
    pub(super) mark: replication::Mark,
    /// The life of the machine, if it has not kept this on its disk.
    pub(super) life: Option<u64>,
}

/// Returns whether a log has what was known of it.
pub(super) fn has(service: &Service, mark: &replication::Mark) -> Result<bool> {
    let mut reader = Reader::new(Position::default(), None);
    for (number, bytes) in (1..=mark.seq.0).zip(service.truth()) {
        if reader.read(Seq(number), Seq(1), bytes).is_err() {
            return Ok(false);
        }
    }
    if reader.at().seq != mark.seq {
        return Ok(false);
    }
    Ok(reader.at().chain == mark.chain)
}
