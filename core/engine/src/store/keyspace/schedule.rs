//! When the value of which record of a database has something to do.
//!
//! A value has one deadline, the earliest of all that it has to do later, and its record has one
//! timer, which is set to that deadline and cancelled with the record. So nothing in here outlives
//! its key, and whoever swaps or empties databases looks at no key for it. That a key expires is
//! known in `expiring`, since a timer for each would take more memory than the key.

use collections::{TimerId, Timers};

use super::record::Record;
use crate::time::UnixMs;

/// The timers of a database's records, each with the hash of the key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    timers: Timers<u64>,
}

impl Schedule {
    /// Sets the timer of a record to its deadline. Returns the deadline if the timer was changed.
    /// Inlined, since every change asks, and nearly always finds the timer set.
    #[inline(always)]
    pub(super) fn settle(&mut self, record: &mut Record, hash: u64) -> Option<UnixMs> {
        let deadline = record.deadline();
        if self.is_set(record.timer(), deadline) {
            return None;
        }
        self.settle_anew(record, hash, deadline);
        deadline
    }

    #[cold]
    #[inline(never)]
    fn settle_anew(&mut self, record: &mut Record, hash: u64, deadline: Option<UnixMs>) {
        let mut timer = record.timer();
        self.reset(&mut timer, hash, deadline);
        record.set_timer(timer);
    }

    /// Returns whether a timer is the one for this deadline.
    #[inline]
    fn is_set(&self, timer: Option<TimerId>, deadline: Option<UnixMs>) -> bool {
        match (timer, deadline) {
            (None, None) => true,
            (Some(id), Some(at)) => self.timers.deadline(id) == tick(at),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Sets a timer anew, behind others of the same time.
    #[cold]
    pub(super) fn reset(
        &mut self,
        timer: &mut Option<TimerId>,
        hash: u64,
        deadline: Option<UnixMs>,
    ) {
        self.cancel(timer);
        *timer = deadline.map(|at| self.timers.set(tick(at), hash));
    }

    /// Cancels the timer of a record that goes.
    #[inline]
    pub(super) fn cancel(&mut self, timer: &mut Option<TimerId>) {
        if let Some(id) = timer.take() {
            self.timers.cancel(id);
        }
    }

    /// The first record that is due, by its timer and its key's hash. Takes one of `looks` for each
    /// timer that it moves on the way; if they do not suffice it finds none.
    pub(super) fn first_due(&mut self, now: UnixMs, looks: &mut usize) -> Option<(TimerId, u64)> {
        let id = self.timers.first_due(tick(now), looks)?;
        Some((id, self.timers.payload(id)))
    }

    /// Puts a timer aside, so that it is not due.
    pub(super) fn hold(&mut self, timer: TimerId) {
        self.timers.hold(timer);
    }

    /// Lets the timers that were put aside be due.
    pub(super) fn release_held(&mut self, now: UnixMs) {
        self.timers.release_held(tick(now));
    }

    /// A time before which nothing is due.
    pub(super) fn next_deadline(&self) -> Option<UnixMs> {
        self.timers.next_deadline().map(time_of)
    }

    /// All that is due up to that time, in no order. Looks at every timer.
    pub(super) fn due_by(&self, at: UnixMs) -> impl Iterator<Item = (TimerId, u64)> {
        let timers = self.timers.iter();
        let due = timers.filter(move |(_, deadline, _)| *deadline <= tick(at));
        due.map(|(id, _, hash)| (id, hash))
    }

    /// How many timers run.
    pub(super) fn len(&self) -> usize {
        self.timers.len()
    }
}

/// A time of day as a tick. Files may hold any time, also one before the epoch.
#[inline]
fn tick(at: UnixMs) -> u64 {
    at.0.cast_unsigned() ^ SIGN
}

fn time_of(tick: u64) -> UnixMs {
    UnixMs((tick ^ SIGN).cast_signed())
}

/// Where the sign is kept.
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use values::{Typed, Value};

    use super::*;

    /// A type of values that there is not: fields, each with the time when it goes. All that it
    /// does for the schedule is to say when there is next something to do.
    #[derive(Default)]
    struct Fields(BTreeMap<&'static str, u64>);

    impl Typed for Fields {
        const NAME: &'static str = "fields";

        fn of(_: &Value) -> Option<&Fields> {
            None
        }

        fn of_mut(_: &mut Value) -> Option<&mut Fields> {
            None
        }

        fn encoding(&self, _: usize) -> &'static str {
            "map"
        }

        fn heap_bytes(&self, _: usize) -> usize {
            0
        }

        fn weight(&self) -> usize {
            0
        }

        fn next_deadline_ms(&self) -> Option<u64> {
            self.0.values().min().copied()
        }

        fn prefetch(&self) {}
    }

    /// A key with such a value.
    #[derive(Default)]
    struct Key {
        fields: Fields,
        timer: Option<TimerId>,
    }

    impl Key {
        fn settle(&mut self, schedule: &mut Schedule) {
            let deadline = self.fields.next_deadline_ms();
            let deadline = deadline.map(|ms| UnixMs(ms as i64));
            if !schedule.is_set(self.timer, deadline) {
                schedule.reset(&mut self.timer, 7, deadline);
            }
        }
    }

    #[test]
    fn a_new_type_of_values_only_has_to_say_when() {
        let mut schedule = Schedule::default();
        let mut key = Key::default();
        key.settle(&mut schedule);
        assert_eq!(schedule.next_deadline(), None);
        for (field, at) in [("b", 20), ("a", 10), ("c", 30)] {
            key.fields.0.insert(field, at);
            key.settle(&mut schedule);
        }
        assert_eq!(schedule.len(), 1);
        let mut seen = Vec::new();
        for now in 0..40 {
            let mut looks = 10;
            while let Some((timer, 7)) = schedule.first_due(UnixMs(now), &mut looks) {
                assert_eq!(Some(timer), key.timer);
                seen.push((now, key.fields.0.len()));
                key.fields.0.retain(|_, at| *at as i64 > now);
                key.settle(&mut schedule);
            }
        }
        assert_eq!(seen, [(10, 3), (20, 2), (30, 1)]);
        assert_eq!((schedule.len(), schedule.next_deadline()), (0, None));
    }

    #[test]
    fn times_before_the_epoch_come_before_those_after_it() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(UnixMs);
        let ticks = times.map(tick);
        assert!(ticks.is_sorted());
        assert_eq!(ticks.map(time_of), times);
    }
}
