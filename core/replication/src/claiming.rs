//! Becoming the leader, or finding out whether one still is.
//!
//! Both are the same: read the log to its end, append a record that begins an epoch if that is
//! still the end, and read on if it is not. When the record is in the log, everything before it has
//! been read, and nothing that was written under an older epoch can become valid behind it.

use crate::action::{Outbox, Ticket};
use crate::chain::Chain;
use crate::place::{Epoch, Position, Seq, Steady};
use crate::record::{Kind, Record};

/// On the way to an epoch of its own.
#[derive(Debug)]
pub(crate) struct Claiming {
    pub(crate) claimant: Claimant,
    attempt: Option<Attempt>,
}

/// Who wants to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimant {
    /// A follower that has heard nothing of the leader.
    Candidate,
    /// The leader of this epoch, which does not know what became of its records.
    Leader(Epoch),
}

/// A record that begins an epoch, for one end of the log. It may be sent several times: only one of
/// them can fit.
#[derive(Debug)]
struct Attempt {
    epoch: Epoch,
    expected: Seq,
    bytes: Vec<u8>,
    /// Before it was sent for the first time. Nobody knows which of them arrives.
    sent: Steady,
    waiting: Option<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    ticket: Ticket,
    since: Steady,
}

/// An epoch that has begun.
pub(crate) struct Won {
    pub(crate) epoch: Epoch,
    /// Before the record was sent.
    pub(crate) sent: Steady,
    pub(crate) at: Position,
}

impl Claiming {
    pub(crate) fn new(claimant: Claimant) -> Claiming {
        Claiming {
            claimant,
            attempt: None,
        }
    }

    /// Appends the record at the end of the log, which is `at`. `nonce` is used if none was sent
    /// for this end yet.
    pub(crate) fn publish(
        &mut self,
        now: Steady,
        at: &Position,
        nonce: u64,
        greeting: &[u8],
        out: &mut Outbox,
    ) {
        let same = self.attempt.take().filter(|it| it.expected == at.seq);
        let attempt = same.unwrap_or_else(|| {
            let epoch = Epoch {
                number: at.epoch.number.saturating_add(1),
                nonce,
            };
            let record = Record {
                kind: Kind::Epoch,
                epoch,
                last: at.lsn,
                prev: at.chain,
                acked: at.seq,
                body: greeting,
            };
            Attempt {
                epoch,
                expected: at.seq,
                bytes: record.encode(),
                sent: now,
                waiting: None,
            }
        });
        let ticket = out.publish(attempt.expected, attempt.bytes.clone());
        let waiting = Some(Waiting { ticket, since: now });
        self.attempt = Some(Attempt { waiting, ..attempt });
    }

    /// When the record was sent that there is no answer to yet.
    pub(crate) fn waits_since(&self) -> Option<Steady> {
        Some(self.attempt.as_ref()?.waiting?.since)
    }

    /// What became of the record is in doubt; the log will say.
    pub(crate) fn doubt(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.waiting = None;
        }
    }

    /// Returns whether this publish is the one that waits.
    pub(crate) fn waits_for(&self, ticket: Ticket) -> bool {
        let waiting = self.attempt.as_ref().and_then(|attempt| attempt.waiting);
        waiting.is_some_and(|waiting| waiting.ticket == ticket)
    }

    /// The record was acknowledged under this number, behind `at`.
    pub(crate) fn acked(&self, seq: Seq, at: &Position) -> Option<Won> {
        let attempt = self.attempt.as_ref();
        let attempt = attempt.filter(|it| it.expected == at.seq && seq == at.seq.next())?;
        let hash = Chain::after(&attempt.bytes);
        Some(Won {
            epoch: attempt.epoch,
            sent: attempt.sent,
            at: Position {
                seq,
                valid: seq,
                lsn: at.lsn,
                chain: hash,
                tip: hash,
                epoch: attempt.epoch,
            },
        })
    }

    /// An epoch was found in the log, at `at`: is it this one?
    pub(crate) fn found(&self, epoch: Epoch, at: &Position) -> Option<Won> {
        let attempt = self.attempt.as_ref().filter(|it| it.epoch == epoch)?;
        Some(Won {
            epoch,
            sent: attempt.sent,
            at: *at,
        })
    }
}
