//! Which log the journal of a shard writes to. Only this file says so. A log that several machines
//! share is no [`journal::Log`]: it has more on its way than one group, and others append to it
//! (see [`crate::SharedLog`]).

use journal::{FileDisk, Journal, LocalLog};

/// The log of a shard: files of this machine.
pub type ShardLog = LocalLog<FileDisk>;

/// The journal of a shard.
pub type ShardJournal = Journal<ShardLog>;
