//! A limited number of producers, against the same as plain lists.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::*;
use crate::settings::IidMode;

/// Evictions that follow an append.
const AT_ONCE: usize = 2;

fn limited(producers_max: u32, iid_mode: IidMode) -> StreamSettings {
    StreamSettings {
        producers_max: NonZeroU32::new(producers_max),
        iid_mode,
        counts_producers: true,
        ..StreamSettings::default()
    }
}

/// Evicts all that are too many, in bounded steps. Returns who went, in order.
fn evict(real: &mut Idempotence, now_ms: u64) -> Vec<Vec<u8>> {
    let mut gone = Vec::new();
    while real.is_unsorted() || real.has_surplus() {
        let step = real.plan_eviction(now_ms, AT_ONCE);
        assert!(step.len() <= AT_ONCE);
        step.iter().for_each(|producer| real.evict(producer));
        gone.extend(step);
    }
    gone
}

fn known(real: &Idempotence, now_ms: u64) -> BTreeSet<Vec<u8>> {
    let mut known = BTreeSet::new();
    let mut cursor = 0;
    loop {
        cursor = real.scan_producers(cursor, 10, now_ms, |report| {
            if report.last.is_some() {
                known.insert(report.name.to_vec());
            }
        });
        if cursor == 0 {
            return known;
        }
    }
}

/// Whose latest entry was added when, and with which ID.
type Plain = BTreeMap<Vec<u8>, (u64, StreamId)>;

fn evict_plainly(plain: &mut Plain, producers_max: u32) -> Vec<Vec<u8>> {
    let mut gone = Vec::new();
    while producers_max > 0 && plain.len() > producers_max as usize {
        let oldest = plain.iter().min_by_key(|(_, at)| **at);
        let oldest = oldest.map(|(name, _)| name.clone()).unwrap();
        plain.remove(&oldest);
        gone.push(oldest);
    }
    gone
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Of more producers than allowed, those go that were active longest ago, in this order;
    /// whatever changes meanwhile. Doing the same without deciding anything leads to the same.
    #[test]
    fn the_least_recently_active_producers_go_first(
        steps in prop::collection::vec(
            (0..60_u16, 0..20_u8, 0..3_000_u64, prop::sample::select(vec![0_u32, 1, 2, 7, 40])),
            1..500,
        ),
        monotone_from in 0..600_usize,
        clones in any::<bool>(),
    ) {
        let mut real = fresh(30, 3);
        let mut replayed = fresh(30, 3);
        let mut plain = Plain::new();
        let (mut producers_max, mut evicted) = (0, 0);
        let mut iid_mode = IidMode::Window;
        let mut now_ms = START_MS;
        for (step, (producer, kind, ms, wanted)) in steps.into_iter().enumerate() {
            now_ms += ms;
            if step == monotone_from {
                iid_mode = IidMode::Monotone;
            }
            if iid_mode == IidMode::Window {
                plain.retain(|_, (at_ms, _)| *at_ms + 30_000 > now_ms);
            }
            let frozen = clones.then(|| real.clone());
            match kind {
                0 => real = real.clone(),
                1 => drop(real.expire(now_ms, &mut 3)),
                2 => {
                    producers_max = wanted;
                    let settings = limited(producers_max, iid_mode);
                    drop(real.follow(&settings));
                    drop(replayed.follow(&settings));
                }
                _ => {
                    if step == monotone_from || iid_mode == IidMode::Monotone && !real.is_monotone() {
                        // From here on nothing expires that has a number; who has a window may.
                        let settings = limited(producers_max, iid_mode);
                        drop(real.follow(&settings));
                        drop(replayed.follow(&settings));
                    }
                    let name = producer_text(producer);
                    let iid = (step + 1).to_string().into_bytes();
                    let id = StreamId::new(now_ms, step as u64);
                    real.record(&name, &iid, id, now_ms);
                    replayed.record(&name, &iid, id, now_ms);
                    plain.insert(name, (now_ms, id));
                }
            }
            drop(frozen);
            if iid_mode == IidMode::Monotone {
                // Windows that nobody has taken over into numbers expire as before.
                let numbers: BTreeSet<_> = real.all_reached().map(|(name, _)| name.to_vec()).collect();
                plain.retain(|name, (at_ms, _)| numbers.contains(name) || *at_ms + 30_000 > now_ms);
            }
            let gone = evict(&mut real, now_ms);
            gone.iter().for_each(|name| replayed.evict(name));
            evicted += gone.len() as u64;
            prop_assert_eq!(gone, evict_plainly(&mut plain, producers_max));
            let names: BTreeSet<_> = plain.keys().cloned().collect();
            prop_assert_eq!(known(&real, now_ms), names.clone());
            prop_assert_eq!(known(&replayed, now_ms), names);
        }
        if let Some(tally) = real.counted() {
            prop_assert_eq!(tally.get(Counted::Evicted), evicted);
            prop_assert_eq!(replayed.counted(), Some(tally));
        }
    }
}

fn many(producers: u64, iid_mode: IidMode) -> Idempotence {
    let mut real = fresh(100, 100);
    drop(real.follow(&limited(0, iid_mode)));
    for number in 0..producers {
        let id = StreamId::new(START_MS + number, 0);
        real.record(format!("p{number}").as_bytes(), b"1", id, START_MS + number);
    }
    real
}

#[test]
fn a_lower_limit_is_reached_in_bounded_steps() {
    const PRODUCERS: u64 = 20_000;
    for mode in [IidMode::Window, IidMode::Monotone] {
        let mut real = many(PRODUCERS, mode);
        let now_ms = START_MS + PRODUCERS;
        drop(real.follow(&limited(1_000, mode)));
        assert!(real.is_unsorted() && !real.has_surplus());
        assert_eq!(real.next_deadline_ms(), Some(0));
        let mut sorting_steps = 0;
        while real.is_unsorted() {
            let mut budget = 500;
            real.expire(now_ms, &mut budget);
            sorting_steps += 1;
        }
        // A step shows whole tables, so it does a little more than its budget says.
        assert!((20..=40).contains(&sorting_steps), "{sorting_steps}");
        assert!(real.has_surplus());
        assert_eq!(real.next_deadline_ms(), Some(0));
        let gone = evict(&mut real, now_ms);
        assert_eq!(gone.first().unwrap(), b"p0");
        assert_eq!(gone.last().unwrap(), b"p18999");
        assert_eq!(real.stored().producers + real.all_reached().count(), 1_000);
        assert_ne!(real.next_deadline_ms(), Some(0));
        assert_eq!(real.tracked(now_ms).producers, 1_000);
    }
}

/// A file may say that an entry of a millisecond ago stands for an iid that is only now recorded.
#[test]
fn of_producers_of_one_moment_the_one_with_the_older_entry_goes_first() {
    let mut real = fresh(100, 100);
    drop(real.follow(&limited(1, IidMode::Window)));
    real.record(b"old", b"1", StreamId::new(START_MS, 6), START_MS + 1);
    real.record(b"new", b"1", StreamId::new(START_MS + 1, 0), START_MS + 1);
    assert_eq!(evict(&mut real, START_MS + 1), [b"old"]);
}

#[test]
fn producers_that_come_and_go_take_no_memory() {
    let mut real = fresh(86_400, 100);
    drop(real.follow(&limited(300, IidMode::Window)));
    let mut bytes = 0;
    for number in 0..20_000_u64 {
        let id = StreamId::new(START_MS + number, 0);
        real.record(format!("p{number}").as_bytes(), b"1", id, id.ms);
        evict(&mut real, id.ms);
        if number == 1_000 {
            drop(real.follow(&StreamSettings {
                counts_producers: false,
                ..limited(300, IidMode::Window)
            }));
            bytes = real.allocated_bytes();
        }
    }
    assert_eq!(real.stored().producers, 300);
    let calendar = real.calendar.as_ref().unwrap();
    assert_eq!(calendar.scheduled(), 0);
    let grown = real.allocated_bytes();
    assert!(grown < 2 * bytes, "{bytes} {grown}");
}

#[test]
fn without_a_limit_again_windows_expire_as_before() {
    let mut real = many(1_000, IidMode::Window);
    drop(real.follow(&limited(500, IidMode::Window)));
    evict(&mut real, START_MS + 1_000);
    drop(real.follow(&StreamSettings::default()));
    assert!(!real.is_beyond_redis());
    assert_eq!(real.next_deadline_ms(), Some(0));
    real.expire(START_MS + 1_000, &mut 100);
    assert_eq!(real.next_deadline_ms(), Some(0));
    real.expire(START_MS + 1_000, &mut 10_000);
    assert!(real.next_deadline_ms() > Some(START_MS + 1_000));
    real.expire(START_MS + 103_000, &mut 10_000);
    assert_eq!(real.stored(), Tracked::default());
}

#[test]
fn an_epoch_outlives_its_producer() {
    let mut real = many(2, IidMode::Monotone);
    real.set_epoch(b"p0", 3);
    drop(real.follow(&limited(1, IidMode::Monotone)));
    assert_eq!(evict(&mut real, START_MS + 2), [b"p0"]);
    assert_eq!(real.epoch(b"p0"), 3);
    assert_eq!(real.reached(b"p0", START_MS + 2), None);
    let report = real.producer(b"p0", START_MS + 2).unwrap();
    assert_eq!((report.epoch, report.last), (3, None));
}
