//! The bounds against all deadlines in a list.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Add { deadline: i64, count: u16 },
    Remove { count: u16 },
    Look { now: i64 },
    Draw(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deadline = prop_oneof![-3..3_i64, 0..1000_i64, any::<i64>()];
    let step = prop_oneof![
        4 => (deadline.clone(), 0..2000_u16)
            .prop_map(|(deadline, count)| Step::Add { deadline, count }),
        3 => (0..2500_u16).prop_map(|count| Step::Remove { count }),
        2 => deadline.prop_map(|now| Step::Look { now }),
        1 => any::<u64>().prop_map(Step::Draw),
    ];
    prop::collection::vec(step, 1..40)
}

/// Values by their hashes, each with a deadline.
#[derive(Default)]
struct World {
    values: Vec<(u64, i64)>,
    bounds: Deadlines,
}

impl World {
    fn earliest_in(&self, part: Part) -> Option<i64> {
        let values = self.values.iter();
        let within = values.filter(|(hash, _)| part.hashes().contains(hash));
        within.map(|(_, deadline)| *deadline).min()
    }

    /// Removes all that is due, as an owner does; returns what it was.
    fn look(&mut self, now: i64) -> Vec<(u64, i64)> {
        let mut gone = Vec::new();
        while let Some(part) = self.bounds.first_due(now) {
            let hashes = part.hashes();
            let is_due = |(hash, at): &mut (u64, i64)| hashes.contains(hash) && *at <= now;
            gone.extend(self.values.extract_if(.., is_due));
            let earliest = self.earliest_in(part);
            assert!(earliest.is_none_or(|at| at > now));
            self.bounds.set(part, earliest);
        }
        gone
    }
}

fn check(world: &World) {
    let parts = (0..world.bounds.len()).map(|index| world.bounds.part(index));
    for part in parts {
        for hash in [*part.hashes().start(), *part.hashes().end()] {
            assert_eq!(world.bounds.part_of(hash), part);
        }
        let bound = world.bounds.bound(part).unwrap_or(NEVER);
        assert!(bound <= world.earliest_in(part).unwrap_or(NEVER));
    }
    let bounds = (0..world.bounds.len()).map(|index| world.bounds.levels[0][index]);
    assert_eq!(world.bounds.next().unwrap_or(NEVER), bounds.min().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_due_is_found_and_nothing_else_goes(seed in any::<u64>(), steps in steps()) {
        let mut world = World::default();
        let mut next_hash = seed;
        for step in steps {
            match step {
                Step::Add { deadline, count } => {
                    for number in 0..i64::from(count) {
                        next_hash = crate::trie::mix(next_hash);
                        let deadline = deadline.saturating_add(number % 7);
                        world.values.push((next_hash, deadline));
                        world.bounds.add(next_hash, deadline);
                        world.bounds.fit(world.values.len());
                    }
                }
                Step::Remove { count } => {
                    let left = world.values.len().saturating_sub(usize::from(count));
                    world.values.truncate(left);
                    world.bounds.fit(left);
                }
                Step::Look { now } => {
                    let before = world.values.clone();
                    let mut gone = world.look(now);
                    gone.sort_unstable();
                    let mut due: Vec<_> =
                        before.into_iter().filter(|(_, at)| *at <= now && *at != NEVER).collect();
                    due.sort_unstable();
                    if now != NEVER {
                        prop_assert_eq!(gone, due);
                    }
                }
                Step::Draw(random) => {
                    let drawn = world.bounds.random(random);
                    prop_assert_eq!(drawn.is_some(), world.bounds.next().is_some());
                    if let Some(part) = drawn {
                        prop_assert!(world.bounds.bound(part).is_some());
                    }
                }
            }
            check(&world);
        }
    }
}

#[test]
fn parts_follow_the_number_of_values_one_at_a_time() {
    let mut bounds = Deadlines::new();
    let mut parts = Vec::new();
    for len in (0..20_000).chain((0..20_000).rev()) {
        let before = bounds.len();
        bounds.fit(len);
        assert!(bounds.len().abs_diff(before) <= 1);
        parts.push(bounds.len());
    }
    assert_eq!(parts.iter().max(), Some(&(19_999 / PART_LEN)));
    assert_eq!(parts.last(), Some(&1));
    assert_eq!(bounds.levels, [[NEVER]]);
}

#[test]
fn each_part_with_a_deadline_is_drawn() {
    let mut bounds = Deadlines::new();
    bounds.fit(100 * PART_LEN);
    let hashes: Vec<u64> = (0..5_u64).map(crate::trie::mix).collect();
    for hash in &hashes {
        bounds.add(*hash, 7);
    }
    let mut drawn: Vec<usize> = Vec::new();
    for random in 0..1000 {
        drawn.push(bounds.random(crate::trie::mix(random)).unwrap().index);
    }
    drawn.sort_unstable();
    drawn.dedup();
    let mut parts: Vec<usize> = hashes
        .iter()
        .map(|hash| bounds.part_of(*hash).index)
        .collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(drawn, parts);
}
