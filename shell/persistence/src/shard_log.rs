//! Which log the journal of a shard writes to. Only this file says so: a second kind of log makes
//! [`ShardLog`] an enum that implements [`journal::Log`], and nothing else changes.

use journal::{FileDisk, Journal, LocalLog};

/// The log of a shard: files of this machine.
pub type ShardLog = LocalLog<FileDisk>;

/// The journal of a shard.
pub type ShardJournal = Journal<ShardLog>;
