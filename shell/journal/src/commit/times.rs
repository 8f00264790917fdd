//! How long the log took, kept until somebody asks.

use std::time::Duration;

use crate::limits::TIMES_MAX;

/// How long each successful write and sync took, since somebody last asked.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Times {
    /// Writes of groups.
    pub writes: Vec<Duration>,
    /// Syncs that replies waited for.
    pub syncs: Vec<Duration>,
    /// Syncs that ran while writes went on.
    pub background_syncs: Vec<Duration>,
}

impl Times {
    /// Notes how long a write took.
    pub(super) fn note_write(&mut self, took: Duration) {
        note(&mut self.writes, took);
    }

    /// Notes how long a sync took that replies waited for.
    pub(super) fn note_sync(&mut self, took: Duration) {
        note(&mut self.syncs, took);
    }

    /// Notes how long a sync took that ran while writes went on.
    pub(super) fn note_background_sync(&mut self, took: Duration) {
        note(&mut self.background_syncs, took);
    }

    /// Adds those of another, which has none then.
    pub(super) fn take_from(&mut self, other: &mut Times) {
        let pairs = [
            (&mut self.writes, &mut other.writes),
            (&mut self.syncs, &mut other.syncs),
            (&mut self.background_syncs, &mut other.background_syncs),
        ];
        for (to, from) in pairs {
            let room = TIMES_MAX.saturating_sub(to.len());
            from.truncate(room);
            to.append(from);
        }
    }
}

fn note(times: &mut Vec<Duration>, took: Duration) {
    if times.len() < TIMES_MAX {
        times.push(took);
    }
}
