//! When or how often keys are used.
//!
//! A record has 32 bits for it, the clock, whose meaning depends on what is tracked
//! ([`Tracking`]): the second of the last use or change, or a frequency. A frequency is a minute in
//! 16 bits and a counter in 8 that grows with the logarithm of the uses and shrinks while there are
//! none. Seconds since the epoch are greater than any such number, so that a clock tells of itself
//! which of the two it is, and one that was kept under another policy still says something.

use crate::config::{Eviction, Tracking};
use crate::rng::Rng;
use crate::time::{Now, UnixMs};

use super::Record;

/// The counter of a key that is new: it is not evicted before it had a chance to be used.
const NEW: u8 = 5;

/// Clocks below this are frequencies.
const FREQUENCIES_END: u32 = 1 << 24;

/// How uses are noted.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    tracking: Tracking,
    log_factor: u32,
    decay_minutes: u32,
    /// Snapshots say when keys were last used.
    tells_last_use: bool,
    /// Of two keys that are used as often, chance decides which counts as used more often.
    rng: Rng,
}

impl Usage {
    /// What the settings say.
    pub(crate) const fn new(rng: Rng) -> Usage {
        Usage {
            tracking: Tracking::LastUse,
            log_factor: 0,
            decay_minutes: 0,
            tells_last_use: false,
            rng,
        }
    }

    /// Takes over new settings.
    pub(crate) fn settings_changed(&mut self, eviction: &Eviction) {
        self.tracking = eviction.tracking();
        self.log_factor = eviction.log_factor;
        self.decay_minutes = eviction.decay_minutes;
        self.tells_last_use = eviction.is_by_last_use();
    }

    /// Notes that a key was used.
    #[inline]
    pub(crate) fn note_use(&mut self, record: &Record, now: Now) {
        match self.tracking {
            Tracking::LastUse => record.set_clock(now.unix_s()),
            Tracking::Frequency => self.count(record, now.unix()),
            Tracking::LastChange => {}
        }
    }

    /// Returns whether changes are noted.
    #[inline]
    pub(crate) fn notes_changes(&self) -> bool {
        self.tracking == Tracking::LastChange
    }

    /// Notes that a key was changed.
    pub(crate) fn note_change(&self, record: &Record, now: Now) {
        if self.notes_changes() {
            record.set_clock(now.unix_s());
        }
    }

    /// How often a key is used, as a number that grows with the logarithm of it.
    pub(crate) fn frequency(&self, record: &Record, now: UnixMs) -> u8 {
        let (minute, counter) = match record.clock() {
            clock @ ..FREQUENCIES_END => ((clock >> 8) as u16, clock as u8),
            seconds => ((seconds / 60) as u16, NEW),
        };
        let passed = u32::from(minute_of(now).wrapping_sub(minute));
        let decayed = passed.checked_div(self.decay_minutes).unwrap_or(0);
        counter.saturating_sub(u8::try_from(decayed).unwrap_or(u8::MAX))
    }

    /// Notes how often a key is used, if that is tracked.
    pub(crate) fn set_frequency(&self, record: &Record, frequency: u8, now: UnixMs) {
        if self.tracking == Tracking::Frequency {
            record.set_clock(u32::from(minute_of(now)) << 8 | u32::from(frequency));
        }
    }

    /// Notes for how many seconds a key was not used, or not changed, if that is tracked.
    pub(crate) fn set_idle_s(&self, record: &Record, idle_s: u32, now: UnixMs) {
        if self.tracking != Tracking::Frequency {
            // Times as early as that are frequencies.
            let clock = now.seconds().saturating_sub(idle_s).max(FREQUENCIES_END);
            record.set_clock(clock);
        }
    }

    /// What a snapshot says of a key.
    pub(super) fn told(&self, record: &Record, now: UnixMs) -> rdb::Usage {
        match self.tracking {
            Tracking::Frequency => rdb::Usage::Frequency(self.frequency(record, now)),
            Tracking::LastUse if self.tells_last_use => {
                rdb::Usage::IdleSeconds(u64::from(record.idle_s(now)))
            }
            Tracking::LastUse | Tracking::LastChange => rdb::Usage::Unknown,
        }
    }

    /// Takes over what a snapshot said, as far as it is tracked.
    pub(crate) fn note_told(&self, record: &Record, told: rdb::Usage, now: UnixMs) {
        match told {
            rdb::Usage::Unknown => {}
            rdb::Usage::IdleSeconds(seconds) => {
                let idle_s = u32::try_from(seconds).unwrap_or(u32::MAX);
                self.set_idle_s(record, idle_s, now);
            }
            rdb::Usage::Frequency(frequency) => self.set_frequency(record, frequency, now),
        }
    }

    /// One more use: the greater the counter, the less probable is it that it grows.
    #[cold]
    fn count(&mut self, record: &Record, now: UnixMs) {
        let frequency = self.frequency(record, now);
        let above = u64::from(frequency.saturating_sub(NEW));
        let one_in = above * u64::from(self.log_factor) + 1;
        let grows = self.rng.next().is_multiple_of(one_in);
        self.set_frequency(record, frequency.saturating_add(u8::from(grows)), now);
    }
}

/// For how many seconds a key was not used, or not changed if that is tracked.
pub(super) fn idle_s(clock: u32, now: UnixMs) -> u32 {
    match clock {
        ..FREQUENCIES_END if now.seconds() >= FREQUENCIES_END => {
            let minutes = minute_of(now).wrapping_sub((clock >> 8) as u16);
            u32::from(minutes) * 60
        }
        seconds => now.seconds().saturating_sub(seconds),
    }
}

/// The minute, as far as a clock keeps it: it comes again after 45 days.
fn minute_of(now: UnixMs) -> u16 {
    (now.seconds() / 60) as u16
}

#[cfg(test)]
mod tests {
    use values::{Key, StringValue};

    use super::*;
    use batch::Lsn;

    const START_MS: i64 = 1_790_000_000_000;

    fn record() -> Record {
        let value = StringValue::from_bytes(b"v").into();
        Record::new(Key::from(b"k"), value, None, Lsn::ZERO, UnixMs(START_MS))
    }

    fn at(seconds: i64) -> Now {
        Now {
            unix_us: (START_MS + seconds * 1000) * 1000,
            ..Now::default()
        }
    }

    fn usage(tracking: Tracking) -> Usage {
        Usage {
            tracking,
            log_factor: 10,
            decay_minutes: 1,
            tells_last_use: false,
            rng: Rng::new(1),
        }
    }

    #[test]
    fn the_counter_grows_with_the_logarithm_of_the_uses_and_shrinks_without_them() {
        let mut usage = usage(Tracking::Frequency);
        let mut seen = Vec::new();
        for uses in [0, 100, 1000, 100_000] {
            let record = record();
            (0..uses).for_each(|_| usage.note_use(&record, at(0)));
            seen.push(usage.frequency(&record, at(0).unix()));
            let later = usage.frequency(&record, at(180).unix());
            assert_eq!(later, seen[seen.len() - 1].saturating_sub(3));
        }
        // The documentation of Redis says 10, 18 and 142 for a factor of 10.
        assert_eq!(seen[0], 5);
        assert!((8..=13).contains(&seen[1]), "{seen:?}");
        assert!((15..=24).contains(&seen[2]), "{seen:?}");
        assert!((125..=165).contains(&seen[3]), "{seen:?}");
    }

    #[test]
    fn a_clock_of_another_policy_still_says_something() {
        let mut by_frequency = usage(Tracking::Frequency);
        let record = record();
        assert_eq!(by_frequency.frequency(&record, at(0).unix()), NEW);
        by_frequency.note_use(&record, at(3600));
        assert_eq!(idle_s(record.clock(), at(3600 + 600).unix()), 600);
        let mut by_time = usage(Tracking::LastUse);
        by_time.note_use(&record, at(4000));
        assert_eq!(idle_s(record.clock(), at(4010).unix()), 10);
    }

    #[test]
    fn only_changes_count_where_changes_are_tracked() {
        let mut usage = usage(Tracking::LastChange);
        let record = record();
        usage.note_use(&record, at(100));
        assert_eq!(idle_s(record.clock(), at(100).unix()), 100);
        usage.note_change(&record, at(100));
        assert_eq!(idle_s(record.clock(), at(100).unix()), 0);
    }
}
