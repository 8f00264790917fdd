//! The wheel against a sorted list.

use proptest::prelude::*;

use super::Wheel;

#[derive(Clone, Debug)]
enum Step {
    Insert { ahead: u64, count: u16 },
    Advance { by: u64, budget: usize },
    Back { by: u64 },
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ahead = prop_oneof![0..3_u64, 0..200_u64, 0..100_000_u64, any::<u64>()];
    let step = prop_oneof![
        4 => (ahead.clone(), 0..300_u16).prop_map(|(ahead, count)| Step::Insert { ahead, count }),
        4 => (ahead, 0..400_usize).prop_map(|(by, budget)| Step::Advance { by, budget }),
        1 => (0..500_u64).prop_map(|by| Step::Back { by }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..60)
}

/// Takes what is due at `now`; `complete` if no later tick was ever processed before.
fn drain(
    wheel: &mut Wheel<u32>,
    model: &mut Vec<(u64, u32)>,
    now: u64,
    mut budget: usize,
    complete: bool,
) {
    while let Some(payload) = wheel.pop_due(now, &mut budget) {
        let index = model
            .iter()
            .position(|(_, p)| *p == payload)
            .expect("it was added");
        let (deadline, _) = model.swap_remove(index);
        assert!(deadline <= now, "{deadline} is not due at {now}");
    }
    assert_eq!(wheel.len(), model.len());
    if budget > 0 && complete {
        assert!(
            model.iter().all(|(deadline, _)| *deadline > now),
            "something was left"
        );
        assert!(!wheel.is_due(now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_hands_out_what_is_due_and_nothing_else(start in any::<u32>(), steps in steps()) {
        let mut now = u64::from(start);
        // The latest tick that was processed: an earlier deadline is due then.
        let mut latest = now;
        let mut wheel = Wheel::new(now);
        let mut model: Vec<(u64, u32)> = Vec::new();
        let mut next_payload = 0;
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Insert { ahead, count } => {
                    for i in 0..u64::from(count) {
                        let deadline = now.saturating_add(ahead).saturating_add(i % 7);
                        wheel.insert(deadline, next_payload);
                        model.push((deadline, next_payload));
                        next_payload += 1;
                    }
                }
                Step::Advance { by, budget } => {
                    now = now.saturating_add(by);
                    latest = latest.max(now);
                    drain(&mut wheel, &mut model, now, budget, now == latest);
                }
                Step::Back { by } => now = now.saturating_sub(by),
                Step::Freeze => frozen.push((wheel.clone(), model.clone())),
            }
            let earliest = model.iter().map(|(deadline, _)| *deadline).min();
            prop_assert_eq!(wheel.next_deadline().is_some(), earliest.is_some());
        }
        frozen.push((wheel, model));
        for (mut wheel, mut model) in frozen {
            drain(&mut wheel, &mut model, u64::MAX, usize::MAX, true);
            prop_assert!(wheel.is_empty() && model.is_empty());
        }
    }
}

#[test]
fn the_next_deadline_is_never_late_and_waking_at_it_finds_the_true_one() {
    for ahead in [0, 1, 63, 64, 65, 4_095, 4_096, 86_400, 10_000_000] {
        let start = 1_700_000_123;
        let mut wheel = Wheel::new(start);
        wheel.insert(start + ahead, ());
        let mut now = start;
        let mut wake_count = 0;
        loop {
            let next = wheel.next_deadline().expect("one waits");
            assert!(next <= start + ahead);
            now = now.max(next);
            wake_count += 1;
            if wheel.pop_due(now, &mut 100).is_some() {
                break;
            }
        }
        assert_eq!(now, start + ahead);
        assert!(wake_count <= 6, "{wake_count} wake-ups for {ahead} ticks");
    }
}

#[test]
fn a_step_does_no_more_than_its_budget() {
    let mut wheel = Wheel::new(0);
    for payload in 0..10_000 {
        wheel.insert(5_000, payload);
    }
    let mut popped = 0;
    for step in 0.. {
        let mut budget = 100;
        while wheel.pop_due(5_000, &mut budget).is_some() {
            popped += 1;
        }
        if wheel.is_empty() {
            // Two levels down and out.
            assert!(step < 350);
            break;
        }
        assert_eq!(budget, 0);
        assert!(wheel.is_due(5_000));
    }
    assert_eq!(popped, 10_000);
}

#[test]
fn a_million_in_one_slot_are_dropped_without_recursion() {
    let mut wheel = Wheel::new(0);
    for payload in 0..1_000_000_u32 {
        wheel.insert(7, payload);
    }
    let frozen = wheel.clone();
    drop(wheel);
    assert_eq!(frozen.len(), 1_000_000);
}
