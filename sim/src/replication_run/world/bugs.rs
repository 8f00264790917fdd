//! The planted bugs: the steps in which a machine that has one differs from one that has none.

use anyhow::Result;
use batch::Lsn;
use replication::{
    Event, Kind, Position, ReadGroup, Record, Seq, Status, Steady, Stop, StopReason,
};

use super::{Happening, SETTINGS, World};
use crate::replication_run::Bug;
use crate::replication_run::service::Publisher;

/// Until when a leader answers. `until` is right, `wrong` counts from the acknowledgement.
pub(super) fn lease_end(
    bug: Option<Bug>,
    until: Option<Steady>,
    wrong: Option<Steady>,
    now: Steady,
) -> Option<Steady> {
    match bug {
        Some(Bug::LeaseFromAck) => until.and(wrong).max(until),
        Some(Bug::AnsweredAfterLease) => until.map(|_| now.plus(SETTINGS.lease)),
        Some(
            Bug::ExpectationDropped
            | Bug::OlderEpochApplied
            | Bug::AcksOutOfOrder
            | Bug::RepublishedBlindly
            | Bug::GapSkipped
            | Bug::LostSuffixAccepted
            | Bug::ImpatientCandidate
            | Bug::TrimmedUnchecked,
        )
        | None => until,
    }
}

/// How many answers of the service there are for one that is late. Who counts out of order is wrong
/// only if the answer to one publish comes and that to an earlier one does not.
pub(super) fn answers_per_late_one(bug: Option<Bug>) -> u64 {
    match bug {
        Some(Bug::AcksOutOfOrder) => 3,
        Some(
            Bug::ExpectationDropped
            | Bug::OlderEpochApplied
            | Bug::AnsweredAfterLease
            | Bug::RepublishedBlindly
            | Bug::GapSkipped
            | Bug::LostSuffixAccepted
            | Bug::LeaseFromAck
            | Bug::ImpatientCandidate
            | Bug::TrimmedUnchecked,
        )
        | None => 200,
    }
}

impl World {
    /// What a machine with a bug makes of an event.
    pub(super) fn as_the_bug_sees(
        &mut self,
        machine: usize,
        life: u64,
        event: Event,
    ) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        if let Event::Acked { ticket, .. } = &event {
            let (own, others) =
                std::mem::take(&mut self.outstanding)
                    .into_iter()
                    .partition(|(by, _)| {
                        by.machine == machine && by.life == life && by.ticket <= *ticket
                    });
            self.outstanding = others;
            let own: Vec<(Publisher, Seq)> = own;
            if self.plan.bug == Some(Bug::AcksOutOfOrder) {
                let earlier = own.iter().filter(|(by, _)| by.ticket < *ticket);
                events.extend(earlier.map(|(by, expected)| Event::Acked {
                    ticket: by.ticket,
                    seq: expected.next(),
                }));
            }
            let until = self.machines[machine].clock(self.now).plus(SETTINGS.lease);
            self.wrong_lease[machine] = Some(until);
        }
        if let Event::Found { bytes, .. } = &event
            && self.plan.bug == Some(Bug::OlderEpochApplied)
            && let Some(process) = &mut self.machines[machine].process
            && let Ok(record) = Record::decode(bytes)
            && record.epoch.number < process.node.position().epoch.number
            && matches!(record.kind, Kind::Batch { parts: 1, .. })
        {
            process.replica.apply_unchecked(record.body)?;
        }
        if self.plan.bug == Some(Bug::ImpatientCandidate) && event == Event::Tick {
            self.hurry(machine);
        }
        events.push(event);
        Ok(events)
    }

    /// A follower that has waited a quarter of what it should wait believes that it has waited.
    fn hurry(&mut self, machine: usize) {
        let now = self.machines[machine].clock(self.now);
        if let Some(process) = &mut self.machines[machine].process
            && process.node.status() == Status::Following
            && self.rng.once_in(20)
        {
            process
                .node
                .apply(now.plus(SETTINGS.patience() * 3 / 4), Event::Tick);
        }
    }

    /// What a machine expects of the log when it publishes, if it says so.
    pub(super) fn expectation(
        &mut self,
        by: Publisher,
        expected: Seq,
        bytes: &[u8],
    ) -> Option<Seq> {
        self.outstanding.push((by, expected));
        if self.plan.bug == Some(Bug::RepublishedBlindly) {
            let (at, bytes) = (self.now.plus_ms(300), bytes.to_vec());
            self.at(at, Happening::Again { by, bytes });
        }
        Some(expected).filter(|_| self.plan.bug != Some(Bug::ExpectationDropped))
    }

    /// A machine applies a group.
    pub(super) fn apply(&mut self, machine: usize, group: &ReadGroup) -> Result<()> {
        match &mut self.machines[machine].process {
            Some(process) => process.replica.apply(group),
            None => Ok(()),
        }
    }

    /// Returns whether a machine goes on with a log that it has found wrong.
    pub(super) fn goes_on_regardless(&mut self, machine: usize, stop: &Stop) -> Result<bool> {
        if self.plan.bug == Some(Bug::GapSkipped)
            && let StopReason::Gap { .. } = stop.reason
            && self.skip_gap(machine, stop.seq)
        {
            return Ok(true);
        }
        if self.plan.bug == Some(Bug::LostSuffixAccepted) {
            self.machines[machine].kept = None;
            self.start(machine)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Goes on behind a missing record, as if it had never been there.
    fn skip_gap(&mut self, machine: usize, seq: Seq) -> bool {
        let behind = self.service.read(seq.next(), seq.next());
        let Some((next, bytes)) = behind.into_iter().next() else {
            return false;
        };
        let Ok(record) = Record::decode(&bytes) else {
            return false;
        };
        let Kind::Batch { first, part: 0, .. } = record.kind else {
            return false;
        };
        let Some(mut process) = self.machines[machine].process.take() else {
            return false;
        };
        let at = Position {
            seq: Seq(next.0 - 1),
            valid: Seq(next.0 - 1),
            lsn: Lsn::new(first.number() - 1),
            chain: record.prev,
            tip: record.prev,
            epoch: record.epoch,
        };
        let (_, wall) = self.clocks(machine);
        process.replica.pretend(at.lsn, wall);
        let (entropy, now) = (self.rng.number(), self.now);
        let it = &mut self.machines[machine];
        it.kept = None;
        it.start(now, SETTINGS, at, process.replica, entropy);
        self.at(
            now,
            Happening::Wake {
                machine,
                life: self.machines[machine].life,
            },
        );
        true
    }

    /// What was not acknowledged is published once more, at whatever the end of the log is now.
    pub(super) fn publish_again(&mut self, by: Publisher, bytes: &[u8]) {
        let is_there = self.outstanding.iter().any(|(it, _)| *it == by);
        let Ok(record) = Record::decode(bytes) else {
            return;
        };
        if !is_there || self.machines[by.machine].life != by.life {
            return;
        }
        let end = self.service.last();
        let Some((_, last)) = self.service.read(end, end).pop() else {
            return;
        };
        let prev = replication::Chain::after(&last);
        let bytes = Record { prev, ..record }.encode();
        let published = Happening::Published {
            by,
            expected: Some(end),
            bytes,
        };
        self.at(self.now.plus_us(200), published);
    }
}
