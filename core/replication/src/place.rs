//! Where something is: in the log ([`Seq`], [`Position`]), among leaders ([`Epoch`], [`NodeId`]),
//! and in time ([`Steady`]).

use std::fmt;
use std::time::Duration;

use batch::Lsn;

use crate::chain::Chain;

mod fields;

pub use fields::{PositionError, PositionFields};

/// The number that the log service gives to a record; the first is 1. Records that turn out to be
/// void have one too, so it is no LSN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first record.
    pub const ZERO: Seq = Seq(0);

    /// The number of the record after this one.
    #[must_use]
    pub const fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A term of leadership. It begins with a record of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// Epochs that are valid have growing numbers; 0 is before the first.
    pub number: u64,
    /// A random number: two nodes that want to begin the same epoch tell their records apart by it.
    pub nonce: u64,
}

/// Names a node of a group. Chosen by whoever sets the group up; never given to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// How far a reader is, and all that it needs to judge what comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The last record, valid or void.
    pub seq: Seq,
    /// The last valid record.
    pub valid: Seq,
    /// The last batch.
    pub lsn: Lsn,
    /// What the last valid record makes of the chain.
    pub chain: Chain,
    /// The hash of the last record, valid or void.
    pub tip: Chain,
    /// The epoch that the last valid record belongs to.
    pub epoch: Epoch,
}

impl Position {
    /// What a node keeps of this on its disk.
    pub fn mark(&self) -> Mark {
        Mark {
            seq: self.seq,
            lsn: self.lsn,
            chain: self.chain,
        }
    }
}

/// What a node has once seen of a log, kept on its own disk: a log that ends before it, or that is
/// another one there, has lost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last record that was read.
    pub seq: Seq,
    /// The last batch that was read.
    pub lsn: Lsn,
    /// The chain there.
    pub chain: Chain,
}

/// A reading of a clock that never steps back and does not count the time of day; its zero is
/// arbitrary. Readings of two nodes say nothing about one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Steady(pub Duration);

impl Steady {
    /// The moment that is so much later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Steady {
        Steady(self.0.saturating_add(by))
    }
}
