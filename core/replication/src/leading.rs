//! Appending as the leader: several records on their way at a time, acknowledged in order.
//!
//! An acknowledgement says that a record is in the log under a number. It does not say that what
//! was sent before is there: that may have been refused, and something else may have taken its
//! number. Only when all records before have been acknowledged, each under the number behind the
//! last, is a record known to follow them. So nothing is concluded from an acknowledgement before
//! that.

use std::collections::VecDeque;

use batch::Lsn;

use crate::action::{Outbox, Ticket};
use crate::chain::Chain;
use crate::group::Group;
use crate::lease::Lease;
use crate::place::{Epoch, NodeId, Position, Seq, Steady};
use crate::record::{Kind, Record};
use crate::settings::Settings;

/// A leader, since its epoch began.
#[derive(Debug)]
pub(crate) struct Leading {
    pub(crate) epoch: Epoch,
    /// Where the log is when all that was sent has arrived.
    end: Position,
    /// Up to where all of it is acknowledged.
    acked: Seq,
    sent: VecDeque<Sent>,
    /// The group of those pending of which the next part is to be sent.
    group: usize,
    part: u32,
    last_sent: Steady,
    hand_over: HandOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandOver {
    No,
    /// When everything is acknowledged.
    Wanted(NodeId),
    /// Nothing may be sent behind that.
    Sent,
}

/// A record on its way.
#[derive(Debug)]
struct Sent {
    ticket: Ticket,
    sent: Steady,
    /// Where the log is behind it.
    end: Position,
    /// Others can read on from there.
    is_whole: bool,
    is_acked: bool,
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing new, or not yet.
    None,
    /// The log has everything up to here, whole groups only.
    To(Position),
    /// The same, and the lead is handed over.
    HandedOver(Position),
    /// What was sent is in doubt.
    InDoubt,
}

impl Leading {
    /// The leader of an epoch that has just begun at `at`; what is pending comes behind.
    pub(crate) fn new(at: Position, now: Steady) -> Leading {
        Leading {
            epoch: at.epoch,
            end: at,
            acked: at.seq,
            sent: VecDeque::new(),
            group: 0,
            part: 0,
            last_sent: now,
            hand_over: HandOver::No,
        }
    }

    /// Returns whether another group of this length should be sent at once, if there were one.
    pub(crate) fn has_room(
        &self,
        bytes: usize,
        pending: &VecDeque<Group>,
        settings: &Settings,
    ) -> bool {
        self.hand_over == HandOver::No
            && self.group == pending.len()
            && self.sent.len() < settings.in_flight_max_of(bytes)
    }

    pub(crate) fn under_way(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn hand_over(&mut self, to: NodeId) {
        if self.hand_over == HandOver::No {
            self.hand_over = HandOver::Wanted(to);
        }
    }

    /// Sends what is due.
    pub(crate) fn send(
        &mut self,
        now: Steady,
        pending: &VecDeque<Group>,
        lease: &mut Lease,
        settings: &Settings,
        out: &mut Outbox,
    ) {
        while self.sent.len() < settings.in_flight_max && self.hand_over != HandOver::Sent {
            let Some(group) = pending.get(self.group) else {
                break;
            };
            let (part, parts) = (self.part, group.parts());
            let kind = Kind::Batch {
                first: group.first(),
                part,
                parts,
            };
            let record = self.record(kind, group.last());
            let bytes = record.encode_with(group.body(part).collect::<Vec<_>>().into_iter());
            let is_whole = part + 1 == parts;
            let lsn = if is_whole { group.last() } else { self.end.lsn };
            self.append(now, bytes, lsn, is_whole, out);
            (self.group, self.part) = match is_whole {
                true => (self.group + 1, 0),
                false => (self.group, part + 1),
            };
        }
        if !self.sent.is_empty() || self.group < pending.len() {
            return;
        }
        if let HandOver::Wanted(to) = self.hand_over {
            // Whoever reads this may lead at once.
            lease.end();
            self.hand_over = HandOver::Sent;
            self.append_other(now, Kind::HandOver { to }, out);
        } else if now >= self.last_sent.plus(settings.beat) {
            self.append_other(now, Kind::Beat, out);
        }
    }

    /// A record was acknowledged.
    pub(crate) fn acked(
        &mut self,
        ticket: Ticket,
        seq: Seq,
        lease: &mut Lease,
        settings: &Settings,
    ) -> Progress {
        let Some(acked) = self.sent.iter_mut().find(|sent| sent.ticket == ticket) else {
            return Progress::None;
        };
        if seq != acked.end.seq {
            return Progress::InDoubt;
        }
        acked.is_acked = true;
        let mut progress = Progress::None;
        while let Some(first) = self.sent.pop_front_if(|first| first.is_acked) {
            if self.hand_over == HandOver::Sent {
                return Progress::HandedOver(first.end);
            }
            self.acked = first.end.seq;
            lease.extend(first.sent, settings);
            if first.is_whole {
                progress = Progress::To(first.end);
            }
        }
        progress
    }

    /// Groups at the front of those pending have become durable, and are there no more.
    pub(crate) fn forget_groups(&mut self, count: usize) {
        self.group = self.group.saturating_sub(count);
    }

    /// Returns whether the answer to this publish is waited for.
    pub(crate) fn waits_for(&self, ticket: Ticket) -> bool {
        self.sent.iter().any(|sent| sent.ticket == ticket)
    }

    /// Returns whether anything is on its way.
    pub(crate) fn waits(&self) -> bool {
        !self.sent.is_empty()
    }

    /// When what was sent is in doubt, or a beat is due.
    pub(crate) fn deadline(&self, settings: &Settings) -> Steady {
        match self.sent.front() {
            Some(first) => first.sent.plus(settings.ack_timeout),
            None => self.last_sent.plus(settings.beat),
        }
    }

    fn append_other(&mut self, now: Steady, kind: Kind, out: &mut Outbox) {
        let lsn = self.end.lsn;
        let bytes = self.record(kind, lsn).encode();
        self.append(now, bytes, lsn, true, out);
    }

    fn record(&self, kind: Kind, last: Lsn) -> Record<'static> {
        Record {
            kind,
            epoch: self.epoch,
            last,
            prev: self.end.chain,
            acked: self.acked,
            body: &[],
        }
    }

    fn append(&mut self, now: Steady, bytes: Vec<u8>, lsn: Lsn, is_whole: bool, out: &mut Outbox) {
        let expected = self.end.seq;
        let hash = Chain::after(&bytes);
        self.end = Position {
            seq: expected.next(),
            valid: expected.next(),
            lsn,
            chain: hash,
            tip: hash,
            epoch: self.epoch,
        };
        let ticket = out.publish(expected, bytes);
        self.sent.push_back(Sent {
            ticket,
            sent: now,
            end: self.end,
            is_whole,
            is_acked: false,
        });
        self.last_sent = now;
    }
}
