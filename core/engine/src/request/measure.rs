//! How long requests and stages took: counters, the slow log, events of latency.

use std::time::Duration;

use resp::Argv;

use crate::Engine;
use crate::clients::session::SessionId;
use crate::clients::waiting::TimeoutReply;
use crate::config::Config;
use crate::observe::slow_log::{LIGHT_US_MAX, UNMEASURED_MAX};
use crate::observe::stages::Stage;
use crate::server::Server;
use crate::table::{Flags, Row, keys_of, redacted};
use crate::time::Now;
impl Engine {
    /// Returns whether what ran since the last [`Engine::measured`] should be measured now. Reading
    /// a clock takes a good part of the time of a light command ([`Spec::is_light`]) that changed
    /// little, so several of them, none of which can be slow, are measured together. One that may
    /// be slow ends the group.
    #[inline]
    pub fn wants_measuring(&self) -> bool {
        let unmeasured = &self.server.unmeasured;
        unmeasured.heavy
            || unmeasured.numbers.len() >= UNMEASURED_MAX
            || self.server.hot_keys.is_some()
            || (0..LIGHT_US_MAX).contains(&self.server.config.slow_log_us)
    }

    /// Returns whether anything ran since the last [`Engine::measured`].
    #[inline]
    pub fn has_unmeasured(&self) -> bool {
        self.server.unmeasured.last.is_some()
    }

    /// Records how long the requests took that ran since the last call; `last` is the last of them
    /// and its client, if they are still at hand. If it took long, that one is to blame.
    ///
    /// Light requests share the time evenly. One that may be slow ends the group: those before it
    /// count as the last light ones did, and it took the rest.
    pub fn measured(&mut self, last: Option<(SessionId, Argv<'_>)>, nanoseconds: u64, now: Now) {
        let Server {
            unmeasured,
            command_stats,
            ..
        } = &mut self.server;
        let Some(found) = unmeasured.last.take() else {
            return;
        };
        let mut each = nanoseconds / unmeasured.numbers.len().max(1) as u64;
        if unmeasured.heavy {
            each = each.min(unmeasured.light_ns);
        } else {
            unmeasured.light_ns = each;
        }
        let mut left = nanoseconds;
        if let Some((last, before)) = unmeasured.numbers.split_last() {
            // Most of them are the same command.
            for same in before.chunk_by(u16::eq) {
                let stats = &mut command_stats[usize::from(same[0])];
                stats.note_durations(each, same.len() as u32);
                left -= each * same.len() as u64;
            }
            command_stats[usize::from(*last)].note_durations(left, 1);
        }
        unmeasured.forget();
        let us = nanoseconds / 1000;
        if is_slow(us, &self.server.config)
            && let Some((session, argv)) = last
        {
            self.note_slow(session, argv, us, found.spec.flags, now);
        }
    }

    /// Tells a collection of `HOTKEYS` what a client's request took, and how many bytes its reply
    /// has.
    #[inline]
    pub fn note_hot_keys(
        &mut self,
        (session, argv): (SessionId, Argv<'_>),
        nanoseconds: u64,
        written: usize,
        now: Now,
    ) {
        if self.server.hot_keys.is_some() {
            self.note_keys((session, argv), nanoseconds, written, now);
        }
    }

    #[cold]
    fn note_keys(
        &mut self,
        (session, argv): (SessionId, Argv<'_>),
        nanoseconds: u64,
        written: usize,
        now: Now,
    ) {
        // What is queued counts when it runs.
        let session = self.server.sessions.find(session);
        if session.is_some_and(|session| session.transaction.is_some()) {
            return;
        }
        let Server {
            hot_keys,
            commands,
            rng,
            ..
        } = &mut self.server;
        let Some(hot_keys) = hot_keys.as_mut().filter(|it| it.is_active(now)) else {
            return;
        };
        let Some((row, _)) = commands.find_request(argv) else {
            return;
        };
        if row.spec.flags.has(Flags::RUNS_QUEUE) {
            hot_keys.note_transaction(nanoseconds, rng);
            return;
        }
        let keys = keys_of(row.spec, argv).map_while(Result::ok);
        let bytes = encoded_len(argv) + written as u64;
        hot_keys.note(keys.map(|found| found.key), (nanoseconds, bytes), rng);
    }

    /// A client's wait ends: if it slept (`DEBUG SLEEP`), its command took all that time.
    pub(crate) fn note_sleep(&mut self, id: SessionId, now: Now) {
        let session = self.server.sessions.find(id);
        let Some(wait) = session.and_then(|session| session.wait.as_ref()) else {
            return;
        };
        let TimeoutReply::Slept { since } = wait.on_timeout else {
            return;
        };
        let request = wait.request.clone();
        let argv = request.as_argv();
        let us = now.mono.0.saturating_sub(since.0) * 1000;
        let found = argv.get(0).and_then(|name| self.server.commands.find(name));
        if let Some(found) = found
            && is_slow(us, &self.server.config)
        {
            self.note_slow(id, argv, us, found.spec.flags, now);
        }
    }

    #[cold]
    fn note_slow(&mut self, id: SessionId, argv: Argv<'_>, us: u64, flags: Flags, now: Now) {
        let server = &mut self.server;
        let config = &server.config;
        let threshold_ms = config.latency_threshold_ms;
        if threshold_ms > 0 && us / 1000 >= threshold_ms {
            let event = if flags.has(Flags::FAST) {
                "fast-command"
            } else {
                "command"
            };
            server.latencies.note(event, us / 1000, now);
        }
        let slow = u64::try_from(config.slow_log_us).is_ok_and(|least_us| us >= least_us);
        if slow && !flags.has(Flags::SKIP_SLOWLOG) {
            if let Some(session) = server.sessions.find(id) {
                let log = &mut server.slow_log;
                match server.commands.find_request(argv) {
                    Some((row, _)) => log.add(session, redacted(row.spec, argv), us, now),
                    None => log.add(session, argv.iter(), us, now),
                }
            }
            server.slow_log.truncate(config.slow_log_len);
        }
    }
}

impl Server {
    /// Tells a collection of `HOTKEYS` of a command that a transaction has run.
    #[cold]
    pub(crate) fn note_queued_keys(&mut self, row: &Row, argv: Argv<'_>, written: usize, now: Now) {
        if let Some(hot_keys) = self.hot_keys.as_mut().filter(|it| it.is_active(now)) {
            let keys = keys_of(row.spec, argv).map_while(Result::ok);
            let bytes = encoded_len(argv) + written as u64;
            hot_keys.note_queued(keys.map(|found| found.key), bytes);
        }
    }
}

impl Engine {
    /// Records how long a stage took.
    #[inline]
    pub fn stage_took(&mut self, stage: Stage, took: Duration, now: Now) {
        let nanoseconds = took.as_nanos() as u64;
        let server = &mut self.server;
        let stats = &mut server.stages.0[stage as usize];
        stats.count += 1;
        stats.nanoseconds += nanoseconds;
        stats.longest_ns = stats.longest_ns.max(nanoseconds);
        stats.durations.note(nanoseconds);
        let (ms, threshold_ms) = (nanoseconds / 1_000_000, server.config.latency_threshold_ms);
        if threshold_ms > 0 && ms >= threshold_ms {
            server.latencies.note(stage.event(), ms, now);
        }
    }
}

/// How many bytes a request has as clients send it.
fn encoded_len(argv: Argv<'_>) -> u64 {
    let digits = |number: usize| u64::from(number.checked_ilog10().unwrap_or(0)) + 1;
    let arguments = argv.iter().map(|argument| {
        // A dollar sign, and two ends of lines.
        5 + digits(argument.len()) + argument.len() as u64
    });
    3 + digits(argv.len()) + arguments.sum::<u64>()
}

#[inline]
fn is_slow(us: u64, config: &Config) -> bool {
    u64::try_from(config.slow_log_us).is_ok_and(|least_us| us >= least_us)
        || (config.latency_threshold_ms > 0 && us / 1000 >= config.latency_threshold_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::CommandTable;
    use crate::config::Settings;
    use crate::observe::stages::STAGES;
    use crate::time::Mono;

    const ALL: [Stage; STAGES] = [
        Stage::Requests,
        Stage::Timer,
        Stage::Expiry,
        Stage::JournalWrite,
        Stage::JournalSync,
        Stage::BackgroundSync,
        Stage::LogCommit,
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
                    .server
                    .latencies
                    .find(stage.event().as_bytes())
                    .is_none()
            );
            engine.stage_took(stage, Duration::from_millis(10), now);
            let history = engine.server.latencies.find(stage.event().as_bytes());
            let history = history.unwrap();
            assert_eq!((history.count, history.max_ms), (1, 10));
            let stats = engine.server.stages.of(stage);
            assert_eq!((stats.count, stats.durations.count()), (2, 2));
            assert_eq!(stats.nanoseconds, 19_999_000);
            assert_eq!(stats.longest_ns, 10_000_000);
        }
        assert_eq!(engine.server.latencies.iter().len(), STAGES);
        assert_eq!(engine.server.stages.cycles(), (4, 2 * 19_999_000));
    }

    #[test]
    fn without_a_threshold_a_stage_only_counts() {
        let now = Now {
            unix_us: 1_000_000,
            mono: Mono(0),
        };
        let mut engine = Engine::new(Settings::default(), 1, now, &CommandTable::EMPTY);
        engine.stage_took(Stage::JournalSync, Duration::from_secs(5), now);
        assert_eq!(engine.server.latencies.iter().len(), 0);
        assert_eq!(engine.server.stages.of(Stage::JournalSync).count, 1);
    }
}
