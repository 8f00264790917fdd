//! What a node is told, and what it says is to be done.

use batch::Lsn;

use crate::group::ReadGroup;
use crate::place::{Epoch, Seq};
use crate::reader::Stop;

/// Names one publish or one read, so that an answer that comes late is known as such. A node never
/// gives one out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What has happened. Answers may be late, doubled or missing; a [`Node`](crate::Node) copes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The log has the record that was published, under this number, and keeps it.
    Acked {
        /// Of the publish.
        ticket: Ticket,
        /// The number of the record.
        seq: Seq,
    },
    /// The log did not take the record, because its last number is not what was expected.
    Refused {
        /// Of the publish.
        ticket: Ticket,
    },
    /// Whether the log has taken the record is not known: another error, or an answer that makes no
    /// sense.
    Failed {
        /// Of the publish.
        ticket: Ticket,
    },
    /// A record that a read has found. Those of one read come in order, none left out.
    Found {
        /// Of the read.
        ticket: Ticket,
        /// The number of the record.
        seq: Seq,
        /// The number of the first record that the log still has.
        trimmed_to: Seq,
        /// The record.
        bytes: Vec<u8>,
    },
    /// A read has found all that there is.
    End {
        /// Of the read.
        ticket: Ticket,
        /// The number of the last record of the log; of one replica, if that was asked.
        last: Seq,
        /// The number of the first record that the log still has, or would have.
        trimmed_to: Seq,
    },
    /// The connection is gone, or the service says that it has no leader itself. What was published
    /// and not answered is in doubt.
    Unavailable,
    /// Time has passed.
    Tick,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Append a record.
    Publish(Publish),
    /// Read records, as many as there are: [`Event::Found`] for each, then [`Event::End`].
    Read(Read),
    /// A follower's engine is to apply this group.
    Apply(ReadGroup),
    /// A follower has read that another node leads from here on.
    Begun {
        /// The epoch of that node.
        epoch: Epoch,
        /// What it says of itself, such as its address.
        greeting: Vec<u8>,
    },
    /// Everything up to this batch is in the log for ever. What depends on it may be told to
    /// clients, as long as [`Node::may_answer_until`](crate::Node::may_answer_until) says so.
    Durable(Lsn),
    /// This node leads: its engine is at the end of the log, and executes from here on.
    Lead(Epoch),
    /// The lead was handed over as planned. The engine is at the end of the log, and goes on as a
    /// follower's.
    HandedOver,
    /// Another node leads. The engine has executed what is not in the log: drop it, answer nobody
    /// from it, and begin again as a follower with a new [`Node`](crate::Node). Nothing follows
    /// this action.
    StepDown(Deposed),
    /// The log cannot be trusted. Serve nothing and call the operator. Nothing follows this action.
    Stop(Stop),
}

/// Who leads now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposed {
    /// The epoch of the other leader.
    pub by: Epoch,
}

/// A record to be appended, if the last number of the log is `expected`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// For the answer.
    pub ticket: Ticket,
    /// The number that the log's last record must have.
    pub expected: Seq,
    /// The record.
    pub bytes: Vec<u8>,
}

/// Records to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// For the answers.
    pub ticket: Ticket,
    /// The number of the first that is wanted.
    pub from: Seq,
    /// Who is asked.
    pub source: Source,
}

/// Which replica of the log a read asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Any; it may lag behind.
    Any,
    /// The one that appends.
    Leader,
}

/// Actions on their way out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) actions: Vec<Action>,
    tickets: u64,
}

impl Outbox {
    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(crate) fn publish(&mut self, expected: Seq, bytes: Vec<u8>) -> Ticket {
        let ticket = self.ticket();
        self.push(Action::Publish(Publish {
            ticket,
            expected,
            bytes,
        }));
        ticket
    }

    pub(crate) fn read(&mut self, from: Seq, source: Source) -> Ticket {
        let ticket = self.ticket();
        self.push(Action::Read(Read {
            ticket,
            from,
            source,
        }));
        ticket
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}
