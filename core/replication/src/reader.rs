//! The one rule by which everybody judges a log.
//!
//! A record of an older epoch is void: whoever wrote it was no longer the leader when it arrived.
//! So is one that was sent behind another which never arrived, as its chain shows; its writer
//! cannot have counted it. Any other must be what its place requires: the number behind the last
//! one, the chain behind the last valid record, a greater epoch where one begins and the current
//! one otherwise, the next batch, the next part. A log in which one is not has a hole, a fork or
//! damage, and reading stops there, with the place named. Nothing is guessed or skipped.

use std::fmt;

use batch::Lsn;

use crate::chain::Chain;
use crate::group::ReadGroup;
use crate::limits::GROUP_BYTES_MAX;
use crate::place::{Epoch, Mark, NodeId, Position, Seq};
use crate::record::{DecodeError, Kind, Record};

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it was written under an older epoch, or behind a record that did not arrive.
    Void,
    /// A part of the log.
    Valid(Entry),
}

/// What a valid record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An epoch begins, with what its leader says of itself.
    Epoch(Epoch, Vec<u8>),
    /// A part of a group of which others are to come.
    Part,
    /// A group is whole.
    Group(ReadGroup),
    /// The leader is there.
    Beat,
    /// The leader leads no longer, so that this node may.
    HandOver(NodeId),
}

/// Reading ended because the log is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be trusted at record {seq}: {reason}")]
pub struct Stop {
    /// The record that is wrong or missing.
    pub seq: Seq,
    /// What is wrong.
    pub reason: StopReason,
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// It was trimmed beyond where this reader is: it needs a newer snapshot.
    #[error("the log begins at record {first} only; a newer snapshot is needed")]
    Trimmed {
        /// The first record that is left.
        first: Seq,
    },
    /// It is missing.
    #[error("it is missing, and there is record {found}")]
    Gap {
        /// A later record.
        found: Seq,
    },
    /// It is no record.
    #[error("{0}")]
    Damaged(DecodeError),
    /// It follows another record than the last one, or belongs to another epoch of the same number.
    #[error("it is from another history of the log: it follows {prev}, and the log is at {chain}")]
    Fork {
        /// The chain that it follows.
        prev: Chain,
        /// The chain of what was read.
        chain: Chain,
    },
    /// The chain is right, and batches or parts do not follow one another.
    #[error("it does not follow batch {lsn}, part {part}")]
    Order {
        /// The last whole batch.
        lsn: Lsn,
        /// How many parts were read of the next group.
        part: u32,
    },
    /// A group is larger than the limit.
    #[error("a group has more than {GROUP_BYTES_MAX} bytes")]
    GroupTooLarge,
    /// This node has seen other records here.
    #[error("this node has seen another log there: {seen} instead of {chain}")]
    Forgotten {
        /// What this node remembers.
        seen: Chain,
        /// What the log says now.
        chain: Chain,
    },
    /// This node has seen more of the log than there is.
    #[error("the log ends there, and this node has seen it up to record {seen}")]
    EndsEarlier {
        /// What this node remembers.
        seen: Seq,
    },
}

/// A reader of a log, from some position on.
#[derive(Clone, Debug)]
pub struct Reader {
    at: Position,
    /// The last position with no group begun: from there others can read on.
    whole: Position,
    group: Option<Partial>,
    /// What must be there, as long as the reader is before it.
    mark: Option<Mark>,
}

/// A group of which parts are missing.
#[derive(Clone)]
struct Partial {
    first: Lsn,
    last: Lsn,
    read: u32,
    parts: u32,
    bytes: Vec<u8>,
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Partial {
            first,
            last,
            read,
            parts,
            ..
        } = self;
        write!(f, "batches {first} to {last}, {read} of {parts} parts")
    }
}

impl Reader {
    /// A reader of what is behind `at`, where no group is begun. `mark` is what this node has once
    /// seen; if that is not behind `at`, it does not matter.
    pub fn new(at: Position, mark: Option<Mark>) -> Reader {
        Reader {
            at,
            whole: at,
            group: None,
            mark: mark.filter(|mark| mark.seq > at.seq),
        }
    }

    /// Where the reader is.
    pub fn at(&self) -> &Position {
        &self.at
    }

    /// The last position at which no group was begun: what a snapshot is of.
    pub fn whole(&self) -> &Position {
        &self.whole
    }

    /// What this node has seen of the log, now or in an earlier life: to be kept on its disk.
    pub fn mark(&self) -> Mark {
        self.mark.unwrap_or_else(|| self.whole.mark())
    }

    /// Returns whether the reader has come to where this node has been before.
    pub fn has_caught_up(&self) -> bool {
        self.mark.is_none()
    }

    /// Reads the next record. `seq` is its number, and `trimmed_to` that of the first record that
    /// the log still has.
    ///
    /// # Errors
    /// [`Stop`]; nothing may be read after that.
    pub fn read(&mut self, seq: Seq, trimmed_to: Seq, bytes: &[u8]) -> Result<Verdict, Stop> {
        let stop = |reason| Stop { seq, reason };
        if seq != self.at.seq.next() {
            return Err(self.missing(seq, trimmed_to));
        }
        let record = Record::decode(bytes).map_err(|error| stop(StopReason::Damaged(error)))?;
        let hash = Chain::after(bytes);
        if self.is_void(&record) {
            (self.at.seq, self.at.tip) = (seq, hash);
            self.check_mark()?;
            self.note_whole();
            return Ok(Verdict::Void);
        }
        let is_current = match record.kind {
            Kind::Epoch => record.epoch.number > self.at.epoch.number,
            Kind::Batch { .. } | Kind::Beat | Kind::HandOver { .. } => {
                record.epoch == self.at.epoch
            }
        };
        if record.prev != self.at.chain || !is_current {
            let (prev, chain) = (record.prev, self.at.chain);
            return Err(stop(StopReason::Fork { prev, chain }));
        }
        let entry = self.entry(&record).map_err(stop)?;
        self.at = Position {
            seq,
            valid: seq,
            lsn: match &entry {
                Entry::Group(group) => group.last,
                Entry::Epoch(..) | Entry::Part | Entry::Beat | Entry::HandOver(_) => self.at.lsn,
            },
            chain: hash,
            tip: hash,
            epoch: record.epoch,
        };
        self.check_mark()?;
        self.note_whole();
        Ok(Verdict::Valid(entry))
    }

    /// Compares the last record that was read with what the log has there now. A log that has lost
    /// its end and grown again is as long as before, and takes an append.
    ///
    /// # Errors
    /// [`Stop`], if it is another one.
    pub fn verify_last(&self, bytes: &[u8]) -> Result<(), Stop> {
        let (seen, chain) = (self.at.tip, Chain::after(bytes));
        if seen == chain {
            return Ok(());
        }
        Err(Stop {
            seq: self.at.seq,
            reason: StopReason::Forgotten { seen, chain },
        })
    }

    /// Takes note of records that this node has appended itself, all of them whole groups, up to
    /// here: they need not be read.
    pub(crate) fn appended(&mut self, to: Position) {
        self.at = to;
        self.group = None;
        self.note_whole();
    }

    /// Returns whether a record is void. Either it is of an older epoch; or it is of this one, and
    /// its writer sent it behind a record that did not arrive. That is a loss if the writer had
    /// been told that the log has records which it has not.
    fn is_void(&self, record: &Record<'_>) -> bool {
        let is_orphan = record.kind != Kind::Epoch
            && record.epoch == self.at.epoch
            && record.prev != self.at.chain
            && record.acked <= self.at.valid;
        record.epoch.number < self.at.epoch.number || is_orphan
    }

    /// What is wrong if the next record has this number.
    pub(crate) fn missing(&self, found: Seq, trimmed_to: Seq) -> Stop {
        let seq = self.at.seq.next();
        let reason = match trimmed_to > seq {
            true => StopReason::Trimmed { first: trimmed_to },
            false => StopReason::Gap { found },
        };
        Stop { seq, reason }
    }

    /// What a record of the right epoch and chain says, if it is the next one.
    fn entry(&mut self, record: &Record<'_>) -> Result<Entry, StopReason> {
        let read = self.group.as_ref().map_or(0, |group| group.read);
        let order = StopReason::Order {
            lsn: self.at.lsn,
            part: read,
        };
        let Kind::Batch { first, part, parts } = record.kind else {
            let is_next = record.last == self.at.lsn;
            // A new epoch gives up what its leader has not found whole.
            let begins = record.kind == Kind::Epoch;
            if !is_next || (self.group.is_some() && !begins) {
                return Err(order);
            }
            self.group = None;
            return Ok(match record.kind {
                Kind::Epoch => Entry::Epoch(record.epoch, record.body.to_vec()),
                Kind::HandOver { to } => Entry::HandOver(to),
                Kind::Beat | Kind::Batch { .. } => Entry::Beat,
            });
        };
        let mut group = match self.group.take() {
            None => Partial {
                first: self.at.lsn.next(),
                last: record.last,
                read: 0,
                parts,
                bytes: Vec::new(),
            },
            Some(group) => group,
        };
        let is_next =
            (first, record.last, part, parts) == (group.first, group.last, group.read, group.parts);
        let bytes = group.bytes.len() as u64 + record.body.len() as u64;
        if !is_next {
            return Err(order);
        }
        if bytes > GROUP_BYTES_MAX {
            return Err(StopReason::GroupTooLarge);
        }
        group.bytes.extend_from_slice(record.body);
        group.read += 1;
        if group.read < parts {
            self.group = Some(group);
            return Ok(Entry::Part);
        }
        Ok(Entry::Group(ReadGroup {
            first,
            last: group.last,
            bytes: group.bytes,
        }))
    }

    /// What this node has seen must be there.
    fn check_mark(&mut self) -> Result<(), Stop> {
        let Some(mark) = self.mark.filter(|mark| mark.seq <= self.at.seq) else {
            return Ok(());
        };
        if mark.chain != self.at.chain {
            let (seen, chain) = (mark.chain, self.at.chain);
            return Err(Stop {
                seq: mark.seq,
                reason: StopReason::Forgotten { seen, chain },
            });
        }
        self.mark = None;
        Ok(())
    }

    fn note_whole(&mut self) {
        if self.group.is_none() {
            self.whole = self.at;
        }
    }
}

#[cfg(test)]
mod tests;
