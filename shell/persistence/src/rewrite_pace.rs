//! How long the journal is left alone between automatic rewrites.
//!
//! Under a load that lets the journal grow faster than it is rewritten, each rewrite would find the
//! next one due. So the pause after one is proportional to the time it took: rewrites get a bounded
//! share of the disk, whatever the load, and instead the journal grows beyond its limit by what
//! arrives in the meantime. After a failure the pause doubles each time, because the cause is
//! probably still there.

use engine::Mono;

/// When the next rewrite may begin.
#[derive(Debug, Default)]
pub(crate) struct RewritePace {
    begun: Mono,
    /// Not before.
    next: Mono,
    /// How many have failed since the last success.
    failures: u32,
}

/// The pause, as a multiple of the time that the rewrite took, so that rewrites get at most a
/// quarter of the time.
const PAUSE_FACTOR: u64 = 3;

/// The pause after the first of several failures, in milliseconds.
const RETRY_MS: u64 = 1000;

/// The longest pause after a failure, in milliseconds, unless the attempt itself took long.
const RETRY_MS_MAX: u64 = 300_000;

impl RewritePace {
    /// Returns whether an automatic rewrite may begin.
    pub(crate) fn may_begin(&self, now: Mono) -> bool {
        now >= self.next
    }

    /// Notes that a rewrite began, even one that a client asked for.
    pub(crate) fn begun(&mut self, now: Mono) {
        self.begun = now;
    }

    /// Notes that it ended.
    pub(crate) fn ended(&mut self, succeeded: bool, now: Mono) {
        let took_ms = now.0.saturating_sub(self.begun.0);
        let mut pause_ms = took_ms.saturating_mul(PAUSE_FACTOR);
        if succeeded {
            self.failures = 0;
        } else {
            let doubled = RETRY_MS.saturating_mul(1 << self.failures.min(16));
            pause_ms = pause_ms.max(doubled.min(RETRY_MS_MAX));
            self.failures += 1;
        }
        self.next = now.plus(pause_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal that is always due for a rewrite, looked at as often as the timer does. Returns
    /// how many rewrites began in that time, and how long they took in all.
    fn always_due(for_ms: u64, took_ms: impl Fn(u64) -> u64, succeeds: bool) -> (u64, u64) {
        let mut pace = RewritePace::default();
        let (mut count, mut busy_ms) = (0, 0);
        let mut now = Mono(1_000_000);
        let end = now.plus(for_ms);
        while now < end {
            if pace.may_begin(now) {
                pace.begun(now);
                let took_ms = took_ms(count);
                now = now.plus(took_ms);
                pace.ended(succeeds, now);
                count += 1;
                busy_ms += took_ms;
            }
            now = now.plus(100);
        }
        (count, busy_ms)
    }

    #[test]
    fn rewrites_take_a_quarter_of_the_time_at_most() {
        const HOUR_MS: u64 = 3_600_000;
        for took_ms in [10, 700, 20_000] {
            let (count, busy_ms) = always_due(HOUR_MS, |_| took_ms, true);
            assert!(busy_ms <= HOUR_MS / 4 + took_ms, "{took_ms}: {busy_ms}");
            // Nor are they much rarer than that.
            assert!(count * (4 * took_ms + 200) >= HOUR_MS - 200, "{count}");
        }
        // A snapshot that grows.
        let (count, busy_ms) = always_due(HOUR_MS, |count| 100 * count, true);
        assert!(
            busy_ms <= HOUR_MS / 4 + 100 * count,
            "{count}: {busy_ms} ms"
        );
    }

    #[test]
    fn the_pause_after_failures_grows() {
        let (count, _) = always_due(127_000, |_| 0, false);
        assert_eq!(count, 7, "after 0, 1, 3, 7, 15, 31 and 63 seconds");
        let mut pace = RewritePace::default();
        for _ in 0..40 {
            pace.ended(false, Mono(0));
        }
        assert!(!pace.may_begin(Mono(RETRY_MS_MAX - 1)) && pace.may_begin(Mono(RETRY_MS_MAX)));
        pace.ended(true, Mono(0));
        assert!(pace.may_begin(Mono(0)));
    }
}
