//! One read of the log: which question is asked next, and what an answer means.
//!
//! Any replica answers a request for many records at once, which is how a follower reads. It may
//! lag behind, and does not say where the log begins. So as soon as something is odd, and whenever
//! the log's leader is asked for, the rest of the read goes to that: first for the bounds of the
//! log, then for one record after the other.
//!
//! This is a state machine without a connection. A question that gets no answer is asked again by
//! its owner, who tells answers to different questions apart. Which replica gets a question is for
//! the servers to choose, and they may choose one that is gone, again and again. So replicas and
//! the leader take turns then.

use async_nats::{Message, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use replication::{Event, Read, Seq, Source, Ticket};
use tracing::warn;

use crate::api::{self, ApiError, MessageOfLeader, NO_MESSAGE, PENDING, SEQUENCE, StreamInfo};

/// A read that is under way.
#[derive(Debug)]
pub(crate) struct Reading {
    ticket: Ticket,
    /// The record that is wanted next.
    next: Seq,
    /// The first record that the log still has, as far as is known.
    first: Seq,
    step: Step,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Replica,
    Bounds,
    Leader { last: Seq },
}

/// What is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Any replica, for as many records as it has from this one on.
    Replica(Seq),
    /// The leader of the log, for its first and last record.
    Bounds,
    /// The leader of the log, for this record.
    Leader(Seq),
}

/// What has been learned from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A record; more answers to the same question are to come.
    Record(Event),
    /// Perhaps a record; and another question is to be asked now.
    Ask(Option<Event>),
    /// The read is over.
    Done(Vec<Event>),
}

impl Reading {
    pub(crate) fn new(read: Read) -> Reading {
        Reading {
            ticket: read.ticket,
            next: read.from.max(Seq(1)),
            first: Seq(1),
            step: match read.source {
                Source::Any => Step::Replica,
                Source::Leader => Step::Bounds,
            },
            source: read.source,
        }
    }

    /// The question to ask now.
    pub(crate) fn question(&self) -> Question {
        match self.step {
            Step::Replica => Question::Replica(self.next),
            Step::Bounds => Question::Bounds,
            Step::Leader { .. } => Question::Leader(self.next),
        }
    }

    /// The last question has no answer, and another one is to be asked.
    pub(crate) fn unanswered(&mut self) {
        self.step = match (self.source, self.step) {
            (Source::Any, Step::Bounds | Step::Leader { .. }) => Step::Replica,
            (Source::Any, Step::Replica) | (Source::Leader, _) => Step::Bounds,
        };
    }

    /// Takes an answer to the last question.
    pub(crate) fn answered(&mut self, message: &Message) -> Progress {
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Progress::Done(vec![Event::Unavailable]);
        }
        match self.step {
            Step::Replica => self.replica(message),
            Step::Bounds => match api::decode::<StreamInfo>(&message.payload) {
                Ok(info) => self.bounds(&info),
                Err(error) => unavailable(&error),
            },
            Step::Leader { last } => match api::decode::<MessageOfLeader>(&message.payload) {
                Ok(found) => self.leader(&found, last),
                // It has just said that it had the record.
                Err(ApiError::Refused { err_code, .. }) if err_code == NO_MESSAGE => {
                    Progress::Done(vec![self.end(last)])
                }
                Err(error) => unavailable(&error),
            },
        }
    }

    fn replica(&mut self, message: &Message) -> Progress {
        match message.status.map(|status| status.as_u16()) {
            None | Some(200) => {}
            // All that was asked for has been sent; there may be more.
            Some(204) if number(message, PENDING) != Some(0) => return Progress::Ask(None),
            Some(204 | 404) => return Progress::Done(vec![self.end(before(self.next))]),
            Some(status) => {
                warn!(status, description = ?message.description, "a replica refuses to be read");
                return Progress::Done(vec![Event::Unavailable]);
            }
        }
        match number(message, SEQUENCE) {
            Some(seq) if seq == self.next.0 => {
                Progress::Record(self.found(message.payload.to_vec()))
            }
            // One that was trimmed or is missing, or nonsense: the leader knows.
            _ => {
                self.step = Step::Bounds;
                Progress::Ask(None)
            }
        }
    }

    fn bounds(&mut self, info: &StreamInfo) -> Progress {
        self.first = Seq(info.state.first_seq).max(Seq(1));
        self.next = self.next.max(self.first);
        let last = Seq(info.state.last_seq);
        self.step = Step::Leader { last };
        self.go_on(None, last)
    }

    fn leader(&mut self, found: &MessageOfLeader, last: Seq) -> Progress {
        let bytes = BASE64_STANDARD.decode(&found.message.data);
        match bytes {
            Ok(bytes) if found.message.seq == self.next.0 => {
                let event = self.found(bytes);
                self.go_on(Some(event), last)
            }
            _ => {
                warn!(
                    seq = found.message.seq,
                    "the answer is not the record that was asked for"
                );
                Progress::Done(vec![Event::Unavailable])
            }
        }
    }

    /// The next record of the leader, if there is one.
    fn go_on(&self, event: Option<Event>, last: Seq) -> Progress {
        match self.next > last {
            true => Progress::Done(event.into_iter().chain([self.end(last)]).collect()),
            false => Progress::Ask(event),
        }
    }

    fn found(&mut self, bytes: Vec<u8>) -> Event {
        let seq = self.next;
        self.next = seq.next();
        Event::Found {
            ticket: self.ticket,
            seq,
            trimmed_to: self.first,
            bytes,
        }
    }

    fn end(&self, last: Seq) -> Event {
        Event::End {
            ticket: self.ticket,
            last,
            trimmed_to: self.first,
        }
    }
}

fn unavailable(error: &ApiError) -> Progress {
    warn!(%error, "the log cannot be read");
    Progress::Done(vec![Event::Unavailable])
}

fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}

fn number(message: &Message, header: &str) -> Option<u64> {
    let value = message.headers.as_ref()?.get(header)?;
    value.as_str().parse().ok()
}

#[cfg(test)]
mod tests;
