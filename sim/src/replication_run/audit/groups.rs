//! What a group has given to its consumers, and what they have acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use stream::{Stream, StreamId};

use crate::replication_run::Plan;
use crate::replication_run::world::Instant;

/// The record of one group.
#[derive(Debug, Default)]
pub(in crate::replication_run) struct Group {
    given_as_new: BTreeSet<StreamId>,
    /// Somebody has asked for these to be acknowledged, and may not have heard.
    asked_to_acknowledge: BTreeSet<StreamId>,
    acknowledged: BTreeMap<StreamId, Instant>,
}

impl Group {
    /// Entries were given to a consumer as new.
    pub(in crate::replication_run) fn gave_new(
        &mut self,
        plan: &Plan,
        ids: &[StreamId],
    ) -> Result<()> {
        ensure!(ids.is_sorted(), "entries are not in order: {ids:?}");
        for id in ids {
            let is_first = self.given_as_new.insert(*id);
            ensure!(
                is_first || plan.log_forgets(),
                "entry {id} was given to somebody as new before"
            );
        }
        Ok(())
    }

    /// Entries that are pending were given to a consumer, which had asked at that moment.
    pub(in crate::replication_run) fn gave_again(
        &mut self,
        plan: &Plan,
        asked_at: Instant,
        ids: &[StreamId],
    ) -> Result<()> {
        for id in ids {
            let at = self.acknowledged.get(id);
            ensure!(
                at.is_none_or(|at| *at >= asked_at) || !plan.reads_are_current(),
                "entry {id} is given to somebody, and had been acknowledged before that one asked"
            );
        }
        Ok(())
    }

    /// A consumer asks for these to be acknowledged.
    pub(in crate::replication_run) fn acknowledges(&mut self, ids: &[StreamId]) {
        self.asked_to_acknowledge.extend(ids);
    }

    /// A consumer was told that these are acknowledged.
    pub(in crate::replication_run) fn acknowledged(&mut self, ids: &[StreamId], now: Instant) {
        for id in ids {
            self.acknowledged.entry(*id).or_insert(now);
        }
    }

    /// Each entry of the stream must be still to be delivered, pending, or acknowledged by somebody
    /// who has asked for that. When nothing was damaged, all of it must be done.
    pub(super) fn check(&self, stream: &Stream, ids: &[StreamId], is_done: bool) -> Result<()> {
        let group = stream.groups().find(b"g").context("there is no group")?;
        let pending: BTreeSet<_> = group
            .pending_range(StreamId::MIN, StreamId::MAX)
            .map(|entry| entry.id)
            .collect();
        for id in ids {
            let is_behind = *id > group.last_delivered();
            let waits = is_behind || pending.contains(id);
            ensure!(
                waits || self.asked_to_acknowledge.contains(id),
                "entry {id} was delivered to nobody who acknowledged it"
            );
            ensure!(
                !waits || !self.acknowledged.contains_key(id),
                "entry {id} was acknowledged and is to be delivered again"
            );
            ensure!(!waits || !is_done, "entry {id} was never done");
        }
        let all: BTreeSet<_> = ids.iter().collect();
        let unknown = self.given_as_new.iter().find(|id| !all.contains(id));
        ensure!(
            unknown.is_none(),
            "{unknown:?} was given to somebody and is not there"
        );
        Ok(())
    }
}
