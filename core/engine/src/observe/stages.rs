//! What the server's threads spend their time on, stage by stage, as the shell measures it.
//!
//! A stage is what is done at once for many: a hold of the shard's lock, a write or sync of the
//! journal. `INFO` tells how many there were and how long they took; one that took as long as
//! `latency-monitor-threshold` says is an event of `LATENCY`.

use std::time::Duration;

use crate::Engine;
use crate::observe::stats::Durations;
use crate::time::Now;

/// What a thread of the server does without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Requests that were read at once ran, under one hold of the shard's lock.
    Requests,
    /// What is due was done, and figures were taken, under one hold of the lock.
    Timer,
    /// Keys whose time was over were removed, and idempotent IDs forgotten; a part of [`Stage::Timer`].
    Expiry,
    /// The journal wrote a group.
    JournalWrite,
    /// The journal synced, and replies waited for it.
    JournalSync,
    /// The journal synced while writes went on.
    BackgroundSync,
}

/// How many kinds of stages there are.
const STAGES: usize = 6;

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
        }
    }
}

/// How often a kind of stage was gone through, and how long that took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageStats {
    /// How often.
    pub count: u64,
    /// Nanoseconds of all.
    pub nanoseconds: u64,
    /// Nanoseconds of the longest.
    pub longest_ns: u64,
    /// How often it took how long.
    pub durations: Durations,
}

/// All kinds of stages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages([StageStats; STAGES]);

impl Stages {
    /// Those of one kind.
    pub fn of(&self, stage: Stage) -> &StageStats {
        &self.0[stage as usize]
    }

    /// How often the lock was held, and for how many nanoseconds in all.
    pub fn cycles(&self) -> (u64, u64) {
        let (requests, timer) = (self.of(Stage::Requests), self.of(Stage::Timer));
        (
            requests.count + timer.count,
            requests.nanoseconds + timer.nanoseconds,
        )
    }
}

impl Engine {
    /// Tells that a stage took so long.
    #[inline]
    pub fn stage_took(&mut self, stage: Stage, took: Duration, now: Now) {
        let nanoseconds = took.as_nanos() as u64;
        let node = &mut self.node;
        let stats = &mut node.stages.0[stage as usize];
        stats.count += 1;
        stats.nanoseconds += nanoseconds;
        stats.longest_ns = stats.longest_ns.max(nanoseconds);
        stats.durations.note(nanoseconds);
        let (ms, threshold_ms) = (nanoseconds / 1_000_000, node.config.latency_threshold_ms);
        if threshold_ms > 0 && ms >= threshold_ms {
            node.latencies.note(stage.event(), ms, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::CommandTable;
    use crate::config::Settings;
    use crate::time::Mono;

    const ALL: [Stage; STAGES] = [
        Stage::Requests,
        Stage::Timer,
        Stage::Expiry,
        Stage::JournalWrite,
        Stage::JournalSync,
        Stage::BackgroundSync,
    ];

    #[test]
    fn a_stage_is_an_event_from_the_threshold_on() {
        let now = Now {
            unix_us: 1_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        settings.set("latency-monitor-threshold", "10").unwrap();
        let mut engine = Engine::new(settings, 1, now, &CommandTable::EMPTY);
        for stage in ALL {
            engine.stage_took(stage, Duration::from_micros(9_999), now);
            assert!(
                engine
                    .node
                    .latencies
                    .find(stage.event().as_bytes())
                    .is_none()
            );
            engine.stage_took(stage, Duration::from_millis(10), now);
            let history = engine.node.latencies.find(stage.event().as_bytes());
            let history = history.unwrap();
            assert_eq!((history.count, history.max_ms), (1, 10));
            let stats = engine.node.stages.of(stage);
            assert_eq!((stats.count, stats.durations.count()), (2, 2));
            assert_eq!(stats.nanoseconds, 19_999_000);
            assert_eq!(stats.longest_ns, 10_000_000);
        }
        assert_eq!(engine.node.latencies.iter().len(), STAGES);
        assert_eq!(engine.node.stages.cycles(), (4, 2 * 19_999_000));
    }

    #[test]
    fn without_a_threshold_a_stage_only_counts() {
        let now = Now {
            unix_us: 1_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(Settings::default(), 1, now, &CommandTable::EMPTY);
        engine.stage_took(Stage::JournalSync, Duration::from_secs(5), now);
        assert_eq!(engine.node.latencies.iter().len(), 0);
        assert_eq!(engine.node.stages.of(Stage::JournalSync).count, 1);
    }
}
