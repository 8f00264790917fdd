//! Idempotence against a plain list per producer, and its bounds on work and memory.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::limits::COUNTED_PRODUCERS_MAX;
use super::*;
use crate::settings::{OnConflict, StreamSettings};

mod counted;
mod limited;
mod numbered;

const START_MS: u64 = 1_795_436_473_510;

fn retention(duration_s: u32, maxsize: u32) -> Retention {
    Retention {
        duration_s,
        maxsize,
    }
}

fn fresh(duration_s: u32, maxsize: u32) -> Idempotence {
    Idempotence::new(retention(duration_s, maxsize), 42)
}

/// An entry ID that tells two appends apart.
fn entry_id(number: u64) -> StreamId {
    StreamId::new(number, number % 3)
}

#[derive(Clone, Debug, PartialEq)]
struct Known {
    iid: Vec<u8>,
    id: StreamId,
    added_at_ms: u64,
}

/// What idempotence means, in its simplest form: nothing is removed before it has to be.
#[derive(Clone, Debug)]
struct Model {
    retention: Retention,
    producers: BTreeMap<Vec<u8>, Vec<Known>>,
    /// The latest time that was seen. What has expired by then may be gone. If the clock has since
    /// gone back to before its expiry, either answer is right.
    latest_ms: u64,
    /// What went when the bounds changed; it may still be counted.
    cut: Tracked,
    /// No iid counts as added before this.
    alive_from_ms: u64,
}

impl Model {
    /// The bounds change, and what has not expired stays.
    fn keep(&mut self, new: Retention, now_ms: u64) {
        if new.duration_s != self.retention.duration_s {
            let over_ms = now_ms - u64::from(self.retention.duration_s) * 1_000;
            self.alive_from_ms = self.alive_from_ms.max(over_ms + 1);
            for list in self.producers.values_mut() {
                let len = list.len();
                list.retain(|known| known.added_at_ms >= self.alive_from_ms);
                self.cut.iids += len - list.len();
                self.cut.producers += usize::from(list.is_empty());
            }
        }
        self.retention = new;
    }

    fn is_over(&self, known: &Known, now_ms: u64) -> bool {
        known.added_at_ms + u64::from(self.retention.duration_s) * 1_000 <= now_ms
    }

    fn is_open(&self, known: &Known) -> bool {
        self.is_over(known, self.latest_ms)
    }

    fn lookup(&self, producer: &[u8], iid: &[u8], now_ms: u64) -> Option<&Known> {
        let mut list = self.producers.get(producer)?.iter();
        list.find(|known| known.iid == iid && !self.is_over(known, now_ms))
    }

    fn record(&mut self, producer: &[u8], new: Known) {
        self.restore(producer, new);
        if let Some(list) = self.producers.get_mut(producer) {
            let excess = list.len().saturating_sub(self.retention.maxsize as usize);
            list.drain(..excess);
        }
    }

    /// The same of a file, which may have what was kept from before a smaller bound.
    fn restore(&mut self, producer: &[u8], mut new: Known) {
        self.latest_ms = self.latest_ms.max(new.added_at_ms);
        let now_ms = new.added_at_ms;
        let mut list = self.producers.remove(producer).unwrap_or_default();
        let newest_ms = list.last().map_or(0, |known| known.added_at_ms);
        new.added_at_ms = new.added_at_ms.max(newest_ms).max(self.alive_from_ms);
        list.retain(|known| known.iid != new.iid && !self.is_over(known, now_ms));
        list.push(new);
        self.producers.insert(producer.to_vec(), list);
    }

    /// Producers and iids for which `counts` holds.
    fn count(&self, counts: impl Fn(&Known) -> bool) -> Tracked {
        let lens = self
            .producers
            .values()
            .map(|list| list.iter().filter(|k| counts(k)).count());
        lens.filter(|len| *len > 0)
            .fold(Tracked::default(), |sum, len| Tracked {
                producers: sum.producers + 1,
                iids: sum.iids + len,
            })
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A producer adds this many iids, so long apart.
    Burst {
        producer: u8,
        first: u16,
        count: u16,
        apart_ms: u64,
    },
    /// This many producers add one iid.
    Crowd {
        first: u16,
        count: u16,
    },
    Restore {
        producer: u8,
        iid: u16,
        ago_ms: u64,
    },
    Forward {
        ms: u64,
    },
    Back {
        ms: u64,
    },
    Expire {
        budget: usize,
    },
    Configure {
        duration_s: u32,
        maxsize: u32,
    },
    Keep {
        duration_s: u32,
        maxsize: u32,
    },
    Freeze,
}

fn maxsizes() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![1, 2, 7, 8, 9, 20, 100, 128, 129, 400])
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..6_u8, 0..300_u16, 0..250_u16, 0..50_u64).prop_map(
            |(producer, first, count, apart_ms)| Step::Burst { producer, first, count, apart_ms }),
        3 => (0..400_u16, 0..200_u16).prop_map(|(first, count)| Step::Crowd { first, count }),
        2 => (0..6_u8, 0..300_u16, 0..9_000_u64).prop_map(
            |(producer, iid, ago_ms)| Step::Restore { producer, iid, ago_ms }),
        4 => (0..6_000_u64).prop_map(|ms| Step::Forward { ms }),
        1 => (0..6_000_u64).prop_map(|ms| Step::Back { ms }),
        4 => (0..300_usize).prop_map(|budget| Step::Expire { budget }),
        1 => (1..8_u32, maxsizes()).prop_map(
            |(duration_s, maxsize)| Step::Configure { duration_s, maxsize }),
        2 => (1..8_u32, maxsizes()).prop_map(
            |(duration_s, maxsize)| Step::Keep { duration_s, maxsize }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..40)
}

/// Texts of many lengths, some too long for the small form.
fn iid_text(number: u16) -> Vec<u8> {
    let len = match number % 37 {
        0 => 900,
        n => usize::from(n),
    };
    let mut text = number.to_string().into_bytes();
    text.resize(len.max(text.len()), b'x');
    text
}

fn producer_text(number: u16) -> Vec<u8> {
    format!(
        "producer-{number}{}",
        "-".repeat(usize::from(number % 50 / 49) * 1_000)
    )
    .into_bytes()
}

struct World {
    real: Idempotence,
    model: Model,
    now_ms: u64,
    next_id: u64,
}

impl World {
    fn append(&mut self, producer: u16, iid: u16) {
        let (producer, iid) = (producer_text(producer), iid_text(iid));
        let found = self.real.lookup(&producer, &iid, self.now_ms);
        let known = self.model.lookup(&producer, &iid, self.now_ms);
        if !known.is_some_and(|known| self.model.is_open(known)) {
            assert_eq!(found, known.map(|known| known.id));
        }
        // Every third duplicate is recorded nevertheless, as when a file is replayed.
        if found.is_none() || self.next_id.is_multiple_of(3) {
            self.next_id += 1;
            let id = entry_id(self.next_id);
            self.real.record(&producer, &iid, id, self.now_ms);
            self.model.record(
                &producer,
                Known {
                    iid,
                    id,
                    added_at_ms: self.now_ms,
                },
            );
        }
    }

    fn restore(&mut self, producer: u16, iid: u16, ago_ms: u64) {
        let (producer, iid) = (producer_text(producer), iid_text(iid));
        let added_at_ms = self.now_ms.saturating_sub(ago_ms);
        let known = self.model.lookup(&producer, &iid, self.now_ms);
        if known.is_some_and(|known| self.model.is_open(known)) {
            return;
        }
        let known = known.map(|known| known.id);
        self.next_id += 1;
        let id = entry_id(self.next_id);
        let record = Remembered {
            iid: &iid,
            id,
            added_at_ms,
        };
        let expected = known.map_or(Restored::Recorded, Restored::Conflict);
        assert_eq!(
            self.real.restore_record(&producer, record, self.now_ms),
            expected
        );
        let over = added_at_ms + u64::from(self.model.retention.duration_s) * 1_000 <= self.now_ms;
        if known.is_none() && !over && added_at_ms >= self.model.alive_from_ms {
            // The model does its work for `now_ms` by recording at that time.
            let mut list = self.model.producers.remove(&producer).unwrap_or_default();
            list.retain(|known| !self.model.is_over(known, self.now_ms));
            self.model.producers.insert(producer.clone(), list);
            self.model.latest_ms = self.model.latest_ms.max(self.now_ms);
            self.model.restore(
                &producer,
                Known {
                    iid,
                    id,
                    added_at_ms,
                },
            );
        }
    }

    fn check(&self) {
        let now_ms = self.now_ms;
        let model = &self.model;
        let mut seen = Tracked::default();
        for view in self.real.producers(now_ms) {
            let mut records = Vec::new();
            view.for_each(|record| {
                records.push(Known {
                    iid: record.iid.to_vec(),
                    id: record.id,
                    added_at_ms: record.added_at_ms,
                })
            });
            assert_eq!(records.len(), view.len());
            assert!(!records.is_empty());
            seen.producers += 1;
            seen.iids += records.len();
            let is_sure = |known: &&Known| !model.is_open(known);
            let list = model.producers[view.id()].iter();
            let expected: Vec<&Known> = list
                .filter(is_sure)
                .filter(|known| !model.is_over(known, now_ms))
                .collect();
            let found: Vec<&Known> = records.iter().filter(is_sure).collect();
            assert!(
                found == expected,
                "{} against {} iids of {:?}",
                found.len(),
                expected.len(),
                view.id(),
            );
        }
        let least = model.count(|known| !model.is_open(known) && !model.is_over(known, now_ms));
        let most = model.count(|known| !model.is_over(known, now_ms));
        assert!(least.iids <= seen.iids && seen.iids <= most.iids);
        let a_second_late = model.count(|known| !model.is_over(known, now_ms - 999));
        let tracked = self.real.tracked(now_ms);
        assert!(least.iids <= tracked.iids && tracked.iids <= a_second_late.iids + model.cut.iids);
        assert!(
            least.producers <= tracked.producers
                && tracked.producers <= a_second_late.producers + model.cut.producers,
            "{least:?} {tracked:?} {a_second_late:?}"
        );
        let mut stored = Tracked::default();
        for view in self.real.producers(0) {
            stored.producers += 1;
            stored.iids += view.len();
        }
        assert_eq!(stored.producers, self.real.producer_count());
        assert!(stored.iids <= self.real.stored().iids);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_remembers_what_a_list_per_producer_would(
        duration_s in 1..8_u32, maxsize in maxsizes(), steps in steps(),
    ) {
        let model = Model {
            retention: retention(duration_s, maxsize),
            producers: BTreeMap::new(),
            latest_ms: 0,
            cut: Tracked::default(),
            alive_from_ms: 0,
        };
        let real = fresh(duration_s, maxsize);
        let mut world = World { real, model, now_ms: START_MS, next_id: 0 };
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Burst { producer, first, count, apart_ms } => {
                    for iid in first..first + count {
                        world.append(u16::from(producer), iid % 300);
                        world.now_ms += apart_ms;
                    }
                }
                Step::Crowd { first, count } => {
                    (first..first + count).for_each(|producer| world.append(producer, 7));
                }
                Step::Restore { producer, iid, ago_ms } => {
                    world.restore(u16::from(producer), iid, ago_ms);
                }
                Step::Forward { ms } => world.now_ms += ms,
                // Less than a duration. Otherwise an iid that is gone would have to hold a new one
                // back.
                Step::Back { ms } => {
                    let duration_ms = u64::from(world.model.retention.duration_s) * 1_000;
                    let least_ms = (world.model.latest_ms + 1).saturating_sub(duration_ms);
                    world.now_ms = (world.now_ms - ms).max(least_ms.min(world.now_ms));
                }
                Step::Expire { mut budget } => {
                    let granted = budget;
                    world.model.latest_ms = world.model.latest_ms.max(world.now_ms);
                    let expiry = world.real.expire(world.now_ms, &mut budget);
                    prop_assert!(budget <= granted);
                    if expiry == Expiry::Done {
                        let next_ms = world.real.next_deadline_ms();
                        prop_assert!(next_ms.is_none_or(|ms| ms > world.now_ms - 1_000));
                    }
                }
                Step::Configure { duration_s, maxsize } => {
                    world.real.configure(retention(duration_s, maxsize), Forget::Everything, world.now_ms);
                    world.model.retention = retention(duration_s, maxsize);
                    world.model.producers.clear();
                    world.model.cut = Tracked::default();
                    world.model.alive_from_ms = 0;
                }
                Step::Keep { duration_s, maxsize } => {
                    // What was over at a later time may be gone. A longer duration would bring it
                    // back.
                    world.now_ms = world.now_ms.max(world.model.latest_ms);
                    let new = retention(duration_s, maxsize);
                    world.real.configure(new, Forget::Nothing, world.now_ms);
                    world.model.keep(new, world.now_ms);
                }
                Step::Freeze => {
                    frozen.push((world.real.clone(), world.model.clone(), world.now_ms));
                }
            }
            world.check();
        }
        for (real, model, now_ms) in frozen {
            World { real, model, now_ms, next_id: 0 }.check();
        }
        let late_ms = world.now_ms.max(world.model.latest_ms) + 20_000;
        prop_assert_eq!(world.real.expire(late_ms, &mut usize::MAX.clone()), Expiry::Done);
        prop_assert_eq!(world.real.stored(), Tracked::default());
        prop_assert_eq!(world.real.next_deadline_ms(), None);
        prop_assert!(world.real.calendar.is_none());
    }
}

#[test]
fn an_iid_counts_until_its_age_reaches_the_duration() {
    let mut idempotence = fresh(10, 100);
    // The entry's ID is ahead of the clock; the clock decides.
    let id = StreamId::new(u64::MAX, 7);
    idempotence.record(b"p", b"1", id, START_MS);
    assert_eq!(idempotence.lookup(b"p", b"1", START_MS + 9_999), Some(id));
    assert_eq!(idempotence.lookup(b"p", b"1", START_MS + 10_000), None);
    assert_eq!(
        idempotence.tracked(START_MS + 9_999),
        Tracked {
            producers: 1,
            iids: 1
        }
    );
    assert_eq!(idempotence.tracked(START_MS + 10_000), Tracked::default());
    assert_eq!(idempotence.next_deadline_ms(), Some(START_MS + 10_000));
    assert_eq!(idempotence.expire(START_MS + 9_999, &mut 10), Expiry::Done);
    assert_eq!(
        idempotence.stored(),
        Tracked {
            producers: 1,
            iids: 1
        }
    );
    assert_eq!(idempotence.expire(START_MS + 10_000, &mut 10), Expiry::Done);
    assert_eq!(idempotence.stored(), Tracked::default());
}

#[test]
fn the_same_iid_of_another_producer_is_another() {
    let mut idempotence = fresh(100, 100);
    idempotence.record(b"p", b"1", entry_id(1), START_MS);
    assert_eq!(idempotence.lookup(b"q", b"1", START_MS), None);
    assert_eq!(idempotence.lookup(b"p", b"2", START_MS), None);
    assert_eq!(idempotence.lookup(b"p", b"", START_MS), None);
    assert_eq!(idempotence.lookup(b"", b"1", START_MS), None);
}

#[test]
fn the_oldest_goes_first_at_every_size() {
    for maxsize in [1, 2, 8, 9, 100, 128, 129, 1_000, 10_000] {
        let mut idempotence = fresh(100, maxsize);
        let total = u64::from(maxsize) * 2 + 5;
        for number in 0..total {
            idempotence.record(
                b"p",
                number.to_string().as_bytes(),
                entry_id(number),
                START_MS,
            );
        }
        for number in 0..total {
            let found = idempotence.lookup(b"p", number.to_string().as_bytes(), START_MS);
            let kept = number >= total - u64::from(maxsize);
            assert_eq!(
                found,
                kept.then_some(entry_id(number)),
                "{number} of {maxsize}"
            );
        }
        assert_eq!(idempotence.tracked(START_MS).iids, maxsize as usize);
        assert_eq!(idempotence.iids_added(), total);
    }
}

#[test]
fn where_the_clock_goes_back_iids_still_expire_in_order() {
    let mut idempotence = fresh(10, 100);
    idempotence.record(b"p", b"1", entry_id(1), START_MS);
    idempotence.record(b"p", b"2", entry_id(2), START_MS - 5_000);
    assert_eq!(
        idempotence.lookup(b"p", b"2", START_MS + 9_999),
        Some(entry_id(2))
    );
    assert_eq!(idempotence.lookup(b"p", b"2", START_MS + 10_000), None);
    // Another producer is not held up by that.
    idempotence.record(b"q", b"2", entry_id(3), START_MS - 5_000);
    assert_eq!(idempotence.lookup(b"q", b"2", START_MS + 5_000), None);
}

#[test]
fn setting_the_retention_forgets_only_if_told_to() {
    let mut idempotence = fresh(10, 3);
    for number in 0..3 {
        idempotence.record(b"p", &[number], entry_id(u64::from(number)), START_MS);
    }
    idempotence.count_duplicate(b"p");
    idempotence.configure(retention(20, 2), Forget::Nothing, START_MS);
    assert_eq!(
        idempotence.tracked(START_MS),
        Tracked {
            producers: 1,
            iids: 3
        }
    );
    assert_eq!(
        idempotence.lookup(b"p", &[0], START_MS + 19_999),
        Some(entry_id(0))
    );
    assert_eq!(idempotence.next_deadline_ms(), Some(START_MS + 20_000));
    // The new bound on the number holds from the next append on.
    idempotence.record(b"p", &[9], entry_id(9), START_MS);
    assert_eq!(
        idempotence.tracked(START_MS),
        Tracked {
            producers: 1,
            iids: 2
        }
    );
    idempotence.configure(retention(20, 2), Forget::Everything, START_MS);
    assert_eq!(idempotence.tracked(START_MS), Tracked::default());
    assert_eq!(
        (idempotence.iids_added(), idempotence.iids_duplicates()),
        (4, 1)
    );
    assert_eq!(idempotence.next_deadline_ms(), None);
}

#[test]
fn what_had_expired_does_not_come_back_with_a_longer_duration() {
    for crowd in [1, 500_u64] {
        let mut idempotence = fresh(10, 100);
        for number in 0..crowd {
            let name = number.to_string();
            idempotence.record(name.as_bytes(), b"1", entry_id(number), START_MS);
            idempotence.record(name.as_bytes(), b"2", entry_id(number), START_MS + 5_000);
        }
        let at_ms = START_MS + 10_000;
        idempotence.configure(retention(60, 100), Forget::Nothing, at_ms);
        assert_eq!(idempotence.lookup(b"0", b"1", at_ms), None);
        let known = idempotence.lookup(b"0", b"2", START_MS + 64_999);
        assert_eq!(known, Some(entry_id(0)));
        assert_eq!(idempotence.lookup(b"0", b"2", START_MS + 65_000), None);
        // A shorter one forgets at once.
        idempotence.configure(retention(1, 100), Forget::Nothing, at_ms);
        assert_eq!(idempotence.lookup(b"0", b"2", at_ms), None);
        assert_eq!(idempotence.tracked(at_ms), Tracked::default());
        let late_ms = START_MS + 70_000;
        assert_eq!(
            idempotence.expire(late_ms, &mut usize::MAX.clone()),
            Expiry::Done
        );
        assert_eq!(idempotence.stored(), Tracked::default());
    }
}

#[test]
fn what_is_restored_is_not_counted_and_never_lives_longer_than_new() {
    let mut idempotence = fresh(10, 100);
    let mut restore = |number: u64, added_at_ms: u64| {
        let record = Remembered {
            iid: b"1",
            id: entry_id(number),
            added_at_ms,
        };
        idempotence.restore_record(b"p", record, START_MS)
    };
    assert_eq!(restore(1, START_MS - 10_000), Restored::Recorded);
    assert_eq!(restore(2, u64::MAX), Restored::Recorded);
    assert_eq!(restore(2, START_MS), Restored::Known);
    assert_eq!(restore(3, START_MS), Restored::Conflict(entry_id(2)));
    assert_eq!(
        idempotence.lookup(b"p", b"1", START_MS + 9_999),
        Some(entry_id(2))
    );
    assert_eq!(idempotence.lookup(b"p", b"1", START_MS + 10_000), None);
    assert_eq!(idempotence.iids_added(), 0);
    idempotence.set_counters(7, 8);
    assert_eq!(
        (idempotence.iids_added(), idempotence.iids_duplicates()),
        (7, 8)
    );
}

#[test]
fn a_large_stream_expires_in_bounded_steps() {
    let mut idempotence = fresh(10, 100);
    for producer in 0..20_000_u32 {
        idempotence.record(&producer.to_le_bytes(), b"1", entry_id(1), START_MS);
    }
    // One of them keeps appending.
    idempotence.record(&7_u32.to_le_bytes(), b"2", entry_id(2), START_MS + 5_000);
    let now_ms = START_MS + 11_000;
    assert_eq!(
        idempotence.tracked(now_ms),
        Tracked {
            producers: 1,
            iids: 1
        }
    );
    let mut step_count = 0;
    loop {
        let before = idempotence.stored().producers;
        let expiry = idempotence.expire(now_ms, &mut 500);
        assert!(before - idempotence.stored().producers <= 500);
        assert_eq!(
            idempotence.tracked(now_ms),
            Tracked {
                producers: 1,
                iids: 1
            }
        );
        step_count += 1;
        if expiry == Expiry::Done {
            break;
        }
        assert!(
            idempotence
                .next_deadline_ms()
                .is_some_and(|ms| ms <= now_ms)
        );
    }
    // Each is moved down the wheel a few times and removed once.
    assert!((40..=160).contains(&step_count), "{step_count} steps");
    assert_eq!(
        idempotence.lookup(&7_u32.to_le_bytes(), b"2", now_ms),
        Some(entry_id(2))
    );
    let next_ms = idempotence.next_deadline_ms().expect("one is left");
    assert!(next_ms > now_ms && next_ms <= START_MS + 15_000);
}

#[test]
fn the_memory_of_huge_iids_and_names_comes_back() {
    let mut idempotence = fresh(100, 100);
    let huge = vec![b'x'; 1 << 20];
    idempotence.record(b"p", &huge, entry_id(1), START_MS);
    assert_eq!(idempotence.lookup(b"p", &huge, START_MS), Some(entry_id(1)));
    assert!(idempotence.allocated_bytes() > 1 << 20);
    for number in 0..120_u8 {
        idempotence.record(b"p", &[number], entry_id(2), START_MS);
    }
    assert!(
        idempotence.allocated_bytes() < 1 << 17,
        "{}",
        idempotence.allocated_bytes()
    );
    idempotence.record(&huge, b"1", entry_id(3), START_MS);
    assert_eq!(idempotence.lookup(&huge, b"1", START_MS), Some(entry_id(3)));
    // A burst that has passed leaves a small window behind.
    let later_ms = START_MS + 100_000;
    idempotence.record(b"p", b"late", entry_id(4), later_ms);
    idempotence.expire(later_ms, &mut usize::MAX.clone());
    assert!(
        idempotence.allocated_bytes() < 400,
        "{}",
        idempotence.allocated_bytes()
    );
}

#[test]
fn a_window_under_a_long_name_survives_running_empty() {
    for name_bytes in [700, 1_000, 100_000] {
        let name = vec![b'x'; name_bytes];
        let mut idempotence = fresh(100, 100);
        idempotence.record(&name, b"1", entry_id(1), START_MS);
        let later_ms = START_MS + 100_000;
        idempotence.record(&name, b"2", entry_id(2), later_ms);
        assert_eq!(idempotence.lookup(&name, b"2", later_ms), Some(entry_id(2)));
        assert_eq!(
            idempotence.stored(),
            Tracked {
                producers: 1,
                iids: 1
            }
        );
    }
}

#[test]
fn an_iid_recorded_again_becomes_the_youngest() {
    for count in [3_u64, 50, 300, 2_000] {
        let mut idempotence = fresh(100, 10_000);
        for number in 0..count {
            idempotence.record(b"p", &number.to_le_bytes(), entry_id(number), START_MS);
        }
        let again = count * 2 / 3;
        idempotence.record(b"p", &again.to_le_bytes(), entry_id(count), START_MS);
        let mut found = Vec::new();
        for view in idempotence.producers(START_MS) {
            view.for_each(|record| found.push(record.id));
        }
        let stay = (0..count).filter(|number| *number != again);
        let expected: Vec<StreamId> = stay.chain([count]).map(entry_id).collect();
        assert!(found == expected, "{count} iids");
    }
}

/// The pairs of a message.
fn pairs(text: &str) -> impl Iterator<Item = &[u8]> {
    text.split(' ').map(str::as_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a list of all messages: what is remembered is known from the moment on at which
    /// messages are kept, and nothing else.
    #[test]
    fn another_message_with_the_same_iid_is_told_from_a_retry(
        maxsize in prop::sample::select(vec![1, 2, 8, 9, 130]),
        steps in prop::collection::vec((0..3_u8, 0..40_u16, 0..3_u8, 0..3_u8, 0..900_u64), 1..400),
        kept_from in 0..50_usize,
    ) {
        let compares = StreamSettings {
            on_conflict: OnConflict::Error,
            ..StreamSettings::default()
        };
        let mut real = fresh(60, maxsize);
        let mut messages: BTreeMap<StreamId, Option<String>> = BTreeMap::new();
        let mut now_ms = START_MS;
        for (number, (producer, iid, text, kind, ms)) in steps.into_iter().enumerate() {
            if number == kept_from {
                drop(real.follow(&compares));
            }
            now_ms += ms;
            let (producer, iid) = (producer_text(u16::from(producer)), iid_text(iid));
            let text = format!("a {text} b 7");
            if let Some(id) = real.lookup(&producer, &iid, now_ms) {
                let known = messages[&id].as_deref();
                let differs = known.is_some_and(|known| known != text);
                prop_assert_eq!(real.conflicts(&producer, &iid, id, pairs(&text)), differs);
                // The order of pairs is no difference.
                let (a, b) = text.split_at(3);
                let turned = format!("{} {a}", &b[1..]);
                prop_assert_eq!(real.conflicts(&producer, &iid, id, pairs(&turned)), differs);
                continue;
            }
            let id = entry_id(number as u64 + 1);
            real.record(&producer, &iid, id, now_ms);
            let is_known = kind > 0 && real.keeps_messages();
            if is_known {
                real.record_message(&producer, &iid, id, pairs(&text));
            } else {
                real.restore_message(&producer, id, None);
            }
            messages.insert(id, is_known.then_some(text));
            if kind == 2 {
                real.expire(now_ms, &mut 100);
            }
        }
        let late_ms = now_ms + 100_000;
        real.expire(late_ms, &mut usize::MAX.clone());
        prop_assert!(real.messages().is_none_or(|kept| kept.allocated_bytes(0) == 0));
        drop(real.follow(&StreamSettings::default()));
        prop_assert!(!real.keeps_messages() && !real.is_beyond_redis());
    }
}
