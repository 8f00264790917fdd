//! The timers against a sorted list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Set { ahead: i64, count: u16 },
    Cancel { nth: usize },
    Move { nth: usize, ahead: i64 },
    Hold { nth: usize },
    Release,
    Advance { by: u64, budget: usize },
    Back { by: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ahead = prop_oneof![-3..3_i64, -200..200_i64, 0..100_000_i64, any::<i64>()];
    let by = prop_oneof![0..3_u64, 0..200_u64, 0..100_000_u64, any::<u64>()];
    let step = prop_oneof![
        3 => (ahead.clone(), 0..200_u16).prop_map(|(ahead, count)| Step::Set { ahead, count }),
        3 => any::<usize>().prop_map(|nth| Step::Cancel { nth }),
        2 => (any::<usize>(), ahead).prop_map(|(nth, ahead)| Step::Move { nth, ahead }),
        2 => any::<usize>().prop_map(|nth| Step::Hold { nth }),
        1 => Just(Step::Release),
        4 => (by, 0..400_usize).prop_map(|(by, budget)| Step::Advance { by, budget }),
        1 => (0..500_u64).prop_map(|by| Step::Back { by }),
    ];
    prop::collection::vec(step, 1..60)
}

/// What is known of a timer.
struct Known {
    id: TimerId,
    deadline: u64,
    /// When it must be found at the latest; `None` while it is put aside.
    found_by: Option<u64>,
}

/// The timers, and what is known of them by what was given to them.
#[derive(Default)]
struct World {
    timers: Timers<u32>,
    model: BTreeMap<u32, Known>,
    last: u32,
    /// Some were put aside, and may be found early or late in the order.
    were_released: bool,
}

impl World {
    fn set(&mut self, deadline: u64) {
        self.last += 1;
        let known = Known {
            id: self.timers.set(deadline, self.last),
            deadline,
            found_by: Some(deadline),
        };
        self.model.insert(self.last, known);
    }

    fn nth(&mut self, nth: usize) -> Option<u32> {
        let nth = nth.checked_rem(self.model.len())?;
        self.model.keys().nth(nth).copied()
    }

    fn cancel(&mut self, payload: u32) {
        let known = self.model.remove(&payload).unwrap();
        assert_eq!(self.timers.deadline(known.id), known.deadline);
        assert_eq!(self.timers.payload(known.id), payload);
        self.timers.cancel(known.id);
    }

    fn release(&mut self, now: u64) {
        self.timers.release_held(now);
        for known in self.model.values_mut() {
            self.were_released |= known.found_by.is_none();
            known.found_by = known.found_by.or(Some(now.max(known.deadline)));
        }
    }

    fn earliest(&self) -> Option<u64> {
        self.model.values().filter_map(|known| known.found_by).min()
    }

    /// Takes what is due. Returns whether the budget was enough.
    fn drain(&mut self, now: u64, mut budget: usize) -> bool {
        while let Some(id) = self.timers.first_due(now, &mut budget) {
            let payload = self.timers.payload(id);
            let known = &self.model[&payload];
            assert!(known.id == id && known.found_by.is_some());
            if !self.were_released {
                let deadline = known.deadline;
                assert_eq!(Some(deadline), self.earliest(), "another comes first");
                assert!(deadline <= now, "{deadline} is not due at {now}");
            }
            self.cancel(payload);
        }
        budget > 0
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_due_is_found_and_nothing_else(start in any::<u32>(), steps in steps()) {
        let mut now = u64::from(start);
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Set { ahead, count } => for number in 0..u64::from(count) {
                    world.set(now.saturating_add_signed(ahead).saturating_add(number * number));
                },
                Step::Cancel { nth } => if let Some(payload) = world.nth(nth) {
                    world.cancel(payload);
                },
                Step::Move { nth, ahead } => if let Some(payload) = world.nth(nth) {
                    world.cancel(payload);
                    world.set(now.saturating_add_signed(ahead));
                },
                Step::Hold { nth } => if let Some(payload) = world.nth(nth) {
                    let known = world.model.get_mut(&payload).unwrap();
                    world.timers.hold(known.id);
                    known.found_by = None;
                },
                Step::Release => world.release(now),
                Step::Advance { by, budget } => {
                    now = now.saturating_add(by);
                    if world.drain(now, budget) {
                        prop_assert!(world.earliest().is_none_or(|at| at > now), "one was left");
                    }
                }
                Step::Back { by } => now = now.saturating_sub(by),
            }
            prop_assert_eq!(world.timers.len(), world.model.len());
            prop_assert_eq!(world.timers.iter().count(), world.model.len());
            prop_assert_eq!(world.timers.next_deadline().is_some(), world.earliest().is_some());
            prop_assert!(world.timers.next_deadline() <= world.earliest());
        }
        world.release(now);
        prop_assert!(world.drain(u64::MAX, usize::MAX));
        prop_assert!(world.timers.is_empty());
    }
}

#[test]
fn a_cancelled_timer_leaves_nothing_behind() {
    let mut timers = Timers::new();
    for round in 0..100_000_u64 {
        let id = timers.set(1_000_000 + round % 5000, round);
        timers.cancel(id);
    }
    assert_eq!((timers.len(), timers.next_deadline()), (0, None));
    let ids: Vec<TimerId> = (0..10_000_u64).map(|at| timers.set(at, at)).collect();
    for (at, id) in ids.iter().enumerate() {
        if at % 640 != 0 {
            timers.cancel(*id);
        }
    }
    assert_eq!(timers.len(), 16);
    assert!(timers.places.capacity() <= 64 * timers.len());
}

#[test]
fn a_timer_moves_down_a_bounded_number_of_times() {
    let mut timers = Timers::new();
    timers.set(0, 0);
    for number in 1..=1000_u64 {
        timers.set(u64::MAX - number, number);
    }
    let mut moves = usize::MAX;
    let mut found = 0;
    while let Some(id) = timers.first_due(u64::MAX, &mut moves) {
        timers.cancel(id);
        found += 1;
    }
    assert_eq!(found, 1001);
    assert!(usize::MAX - moves <= 10 * 1000);
}

#[test]
fn stepping_back_looks_at_no_timer() {
    // One more level, and so one more digit, than a day in milliseconds.
    let day = 86_400_000_u64;
    let mut timers = Timers::new();
    let mut set = |at| timers.set(at, at);
    set(day);
    for number in 0..100_000 {
        set(day + number % 5);
    }
    // The rings of the first five ticks become one.
    set(0);
    let slots = timers.occupied.iter().map(|slots| slots.count_ones());
    assert_eq!(slots.sum::<u32>(), 2);
    // Nothing is due for a day, and nothing has moved for that.
    let mut budget = 0;
    assert!(timers.first_due(0, &mut budget).is_some());
}

#[test]
fn what_is_cut_short_goes_on_where_it_stopped() {
    let mut timers = Timers::new();
    timers.set(0, 0);
    for number in 1..=300_000_u64 {
        timers.set(3_600_000, number);
    }
    let (mut calls, mut found) = (0, 0);
    while !timers.is_empty() {
        calls += 1;
        let mut budget = 1000;
        for _ in 0..1000 {
            let Some(id) = timers.first_due(3_600_000, &mut budget) else {
                break;
            };
            timers.cancel(id);
            found += 1;
        }
        assert!(timers.next_deadline().is_none_or(|at| at <= 3_600_000));
    }
    assert_eq!(found, 300_001);
    // Each moves down four levels and is found once.
    assert!((300..=1_600).contains(&calls), "{calls}");
}
