//! What a shard has counted since it started; `INFO` and the exporter read it.

use std::collections::BTreeMap;

use crate::config::Percentile;
use crate::error::CmdError;
use crate::limits::ERROR_CODES_MAX;
use crate::time::Mono;

/// Counters of the keyspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyspaceStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys removed because they had expired.
    pub expired: u64,
    /// Those of them that the timer removed, not a request that met them.
    pub expired_by_timer: u64,
    /// Keys removed because memory was used up.
    pub evicted: u64,
    /// Fields of hashes removed because they had expired.
    pub expired_fields: u64,
    /// Those of them that the timer removed.
    pub expired_fields_by_timer: u64,
    /// How often the timer had more of them to remove than it may remove at once.
    pub expiry_cut_short: u64,
    /// Clients that wait and were looked at, whether there was something for them or not.
    pub waiters_looked_at: u64,
    /// Appends that were found to be duplicates.
    pub iids_duplicates: u64,
    /// Idempotent IDs that were dropped before their duration was over.
    pub iids_dropped: u64,
    /// Entries of groups that were delivered again.
    pub redelivered: u64,
    /// Entries that became dead letters.
    pub dead_letters: u64,
    /// Producers that were forgotten because their streams had too many.
    pub producers_evicted: u64,
    /// Effects applied.
    pub effects: u64,
    /// Keys, entries and the like that were changed, by all effects.
    pub changes: u64,
}

/// What the last snapshot or base of a journal that was loaded held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastLoad {
    /// Keys that were taken in.
    pub keys: u64,
    /// Keys that were left out because their time had come.
    pub expired: u64,
}

/// Counters of one command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: u64,
    /// Nanoseconds it took in all, as the shell measured.
    pub nanoseconds: u64,
    /// Times it was refused before it ran.
    pub rejected: u64,
    /// Times it ran and returned an error.
    pub failed: u64,
    /// How long it took, as a histogram.
    pub durations: Durations,
}

impl CommandStats {
    /// Notes that it took this long, several times.
    #[inline]
    pub(crate) fn note_durations(&mut self, nanoseconds: u64, times: u32) {
        self.nanoseconds += nanoseconds * u64::from(times);
        self.durations.note_several(nanoseconds, times);
    }
}

/// A histogram of durations, by powers of two of microseconds: the first counter is for less than
/// one, the next for less than two, then four, and so on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations([u32; DURATION_COUNTERS]);

/// Enough for a duration of half an hour.
const DURATION_COUNTERS: usize = 32;

impl Durations {
    /// Notes one.
    #[inline]
    pub fn note(&mut self, nanoseconds: u64) {
        self.note_several(nanoseconds, 1);
    }

    /// Notes several of the same length.
    #[inline]
    fn note_several(&mut self, nanoseconds: u64, times: u32) {
        let us = nanoseconds / 1000;
        let index = (u64::BITS - us.leading_zeros()) as usize;
        let counter = &mut self.0[index.min(DURATION_COUNTERS - 1)];
        *counter = counter.saturating_add(times);
    }

    /// Upper bounds in microseconds (exclusive), each with how many took less.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut sum = 0;
        self.0.iter().enumerate().map(move |(index, count)| {
            sum += u64::from(*count);
            (1 << index, sum)
        })
    }

    /// Returns how many were noted.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// A bound in microseconds that the given share of all stayed under; 0 where there are none.
    pub fn percentile_us(&self, percentile: Percentile) -> u64 {
        let wanted = percentile.of(self.count()).max(1);
        self.cumulative()
            .find(|(_, count)| *count >= wanted)
            .map_or(0, |(bound, _)| bound)
    }
}

/// The recent rate of something, a second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rate {
    samples: [u64; RATE_SAMPLES],
    next: usize,
    last: u64,
    at: Mono,
}

/// Samples of a [`Rate`].
const RATE_SAMPLES: usize = 16;

/// How far apart they are, in milliseconds.
const RATE_PERIOD_MS: u64 = 100;

impl Rate {
    /// Takes a sample of a counter, if the last one is old enough.
    pub(crate) fn sample(&mut self, counter: u64, now: Mono) {
        let elapsed_ms = now.0.saturating_sub(self.at.0);
        if elapsed_ms < RATE_PERIOD_MS {
            return;
        }
        let done = counter.saturating_sub(self.last);
        self.samples[self.next] = done.saturating_mul(1000) / elapsed_ms;
        self.next = (self.next + 1) % RATE_SAMPLES;
        self.last = counter;
        self.at = now;
    }

    /// The mean of the samples.
    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / RATE_SAMPLES as u64
    }
}

/// Errors sent to clients, by their code (the word before the first space).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorStats {
    counts: BTreeMap<String, u64>,
    total: u64,
}

impl ErrorStats {
    /// Notes one. Codes beyond [`ERROR_CODES_MAX`] count in the total only.
    pub(crate) fn note(&mut self, error: &CmdError) {
        self.total += 1;
        let code = error.code();
        if self.counts.len() < ERROR_CODES_MAX || self.counts.contains_key(&code) {
            *self.counts.entry(code).or_default() += 1;
        }
    }

    /// Codes and how often they were answered.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .map(|(code, count)| (code.as_str(), *count))
    }

    /// Returns how often this code was answered.
    pub fn count(&self, code: &str) -> u64 {
        self.counts.get(code).copied().unwrap_or_default()
    }

    /// Returns how many errors were answered.
    pub fn total(&self) -> u64 {
        self.total
    }
}
