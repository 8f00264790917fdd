//! What the server's threads spend their time on, stage by stage, as the shell measures it.
//!
//! A stage is work done at once for many requests: a hold of the shard's lock, a write or sync of
//! the journal. `INFO` shows how many there were and how long they took; one that reaches
//! `latency-monitor-threshold` is an event of `LATENCY`.

use crate::observe::stats::Durations;

/// What a thread of the server does without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Requests that were read at once ran, under one hold of the shard's lock.
    Requests,
    /// What was due was done, and figures were updated, under one hold of the lock.
    Timer,
    /// Expired keys were removed, and idempotent IDs forgotten; a part of [`Stage::Timer`].
    Expiry,
    /// The journal wrote a group.
    JournalWrite,
    /// The journal synced, and replies waited for it.
    JournalSync,
    /// The journal synced while writes went on.
    BackgroundSync,
    /// A leader handed batches to the log of its group, until they were in it for ever.
    LogCommit,
}

/// The number of kinds of stages.
pub(crate) const STAGES: usize = 7;

impl Stage {
    /// The name of its events; Redis' where it has the same.
    pub const fn event(self) -> &'static str {
        match self {
            Stage::Requests => "requests",
            Stage::Timer => "timer",
            Stage::Expiry => "expire-cycle",
            Stage::JournalWrite => "aof-write",
            Stage::JournalSync => "aof-fsync-always",
            Stage::BackgroundSync => "aof-fsync-everysec",
            Stage::LogCommit => "log-commit",
        }
    }
}

/// How often a kind of stage ran, and how long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageStats {
    /// How often.
    pub count: u64,
    /// Total duration, in nanoseconds.
    pub nanoseconds: u64,
    /// The longest duration, in nanoseconds.
    pub longest_ns: u64,
    /// How long it took, as a histogram.
    pub durations: Durations,
}

/// All kinds of stages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages(pub(crate) [StageStats; STAGES]);

impl Stages {
    /// Those of one kind.
    pub fn of(&self, stage: Stage) -> &StageStats {
        &self.0[stage as usize]
    }

    /// Returns how often the lock was held, and for how many nanoseconds in all.
    pub fn cycles(&self) -> (u64, u64) {
        let (requests, timer) = (self.of(Stage::Requests), self.of(Stage::Timer));
        (
            requests.count + timer.count,
            requests.nanoseconds + timer.nanoseconds,
        )
    }
}
