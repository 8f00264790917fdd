use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;

const HASHER: NameHasher = NameHasher::new([1, 2]);

/// A value, and a date.
type Value = (Vec<u8>, Option<u64>);

type Model = BTreeMap<Vec<u8>, Value>;

fn pairs(map: &Map<2>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |entry: Entry<'_, 2>| (entry.name().to_vec(), entry.value().to_vec());
    map.iter().map(pair).collect()
}

fn dated(map: &Map<2>) -> Vec<(Vec<u8>, Value)> {
    let value = |entry: &Entry<'_, 2>| (entry.value().to_vec(), entry.date());
    let pair = |entry: Entry<'_, 2>| (entry.name().to_vec(), value(&entry));
    map.iter().map(pair).collect()
}

fn check(map: &Map<2>, model: &Model) {
    assert_eq!(map.len(), model.len());
    assert_eq!(map.iter().len(), model.len());
    let mut all = dated(map);
    all.sort();
    assert!(
        all.iter()
            .map(|(name, value)| (name, value))
            .eq(model.iter())
    );
    let mut scanned = Vec::new();
    let mut cursor = 0;
    loop {
        cursor = map.scan(cursor, 10, |entry| scanned.push(entry.name().to_vec()));
        if cursor == 0 {
            break;
        }
    }
    scanned.sort();
    assert!(scanned.iter().eq(model.keys()));
}

#[derive(Clone, Debug)]
enum Step {
    Insert {
        start: u32,
        count: u32,
        name_len: usize,
        value: Vec<u8>,
        date: Option<u64>,
    },
    Date {
        start: u32,
        count: u32,
        name_len: usize,
        date: Option<u64>,
    },
    Remove {
        start: u32,
        count: u32,
        name_len: usize,
    },
    Freeze,
}

fn name(number: u32, len: usize) -> Vec<u8> {
    [vec![b'n'; len], number.to_string().into_bytes()].concat()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![6 => Just(0_usize), 3 => Just(7_usize), 1 => Just(1500_usize)];
    let value = prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..60),
        3 => any::<i32>().prop_map(|number| number.to_string().into_bytes()),
        1 => (900..3000_usize).prop_map(|len| vec![b'v'; len]),
    ];
    let date = || prop_oneof![3 => Just(None), 1 => (0..=DATE_MAX).prop_map(Some)];
    let count = || prop_oneof![3 => 1..20_u32, 1 => 20..700_u32];
    let step = prop_oneof![
        4 => (0..1000_u32, count(), len(), value, date()).prop_map(
            |(start, count, name_len, value, date)| Step::Insert { start, count, name_len, value, date }
        ),
        2 => (0..1000_u32, count(), len(), date())
            .prop_map(|(start, count, name_len, date)| Step::Date { start, count, name_len, date }),
        3 => (0..1000_u32, count(), len())
            .prop_map(|(start, count, name_len)| Step::Remove { start, count, name_len }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_map_behaves_like_a_tree_map(steps in steps()) {
        let (mut map, mut model) = (Map::<2>::new(), Model::new());
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Insert { start, count, name_len, value, date } => for number in start..start + count {
                    let name = name(number, name_len);
                    let is_new = map.insert_dated([&name, &value], date, HASHER, &mut Copied);
                    prop_assert_eq!(is_new, model.insert(name, (value.clone(), date)).is_none());
                },
                Step::Date { start, count, name_len, date } => for number in start..start + count {
                    let name = name(number, name_len);
                    let found = model.get_mut(&name).map(|(_, of)| std::mem::replace(of, date));
                    prop_assert_eq!(map.set_date(&name, date, HASHER), found);
                },
                Step::Remove { start, count, name_len } => for number in start..start + count {
                    let name = name(number, name_len);
                    prop_assert_eq!(map.remove(&name), model.remove(&name).is_some());
                },
                Step::Freeze => frozen.push((map.clone(), model.clone())),
            }
            check(&map, &model);
        }
        for (name, (value, date)) in &model {
            let found = map.find(name).map(|it| (it.value().to_vec(), it.date()));
            prop_assert_eq!(found, Some((value.clone(), *date)));
        }
        prop_assert!(map.find(b"none").is_none());
        let random = map.random(7).map(|entry| entry.name().to_vec());
        prop_assert_eq!(random.is_some(), !model.is_empty());
        prop_assert!(random.is_none_or(|name| model.contains_key(&name)));
        for (map, model) in frozen {
            check(&map, &model);
        }
        let mut left = model.len();
        while map.shed(10_000) {
            prop_assert!(map.len() < left);
            left = map.len();
        }
        prop_assert_eq!((map.len(), map.weight()), (0, 0));
    }

    #[test]
    fn a_scan_shows_what_was_there_all_the_time(
        before in 0..3000_u32,
        changes in prop::collection::vec((any::<bool>(), 0..1500_u32), 0..60),
        count in 1..200_usize,
    ) {
        let mut map = Map::<1>::new();
        (0..before).for_each(|number| { map.insert([&name(number, 3)], HASHER); });
        let mut stayed: std::collections::BTreeSet<_> = (0..before).map(|it| name(it, 3)).collect();
        let mut shown = std::collections::BTreeSet::new();
        let (mut cursor, mut changes) = (0, changes.into_iter());
        loop {
            cursor = map.scan(cursor, count, |entry| { shown.insert(entry.name().to_vec()); });
            if cursor == 0 {
                break;
            }
            if let Some((grows, span)) = changes.next() {
                for number in 0..span {
                    if grows {
                        map.insert([&name(10_000 + number, 3)], HASHER);
                    } else {
                        let name = name(before.saturating_sub(number), 3);
                        map.remove(&name);
                        stayed.remove(&name);
                    }
                }
            }
        }
        prop_assert!(stayed.is_subset(&shown));
    }
}

#[test]
fn a_small_map_keeps_its_order_and_is_one_piece() {
    let mut map = Map::<2>::new();
    for name in ["b", "a", "c"] {
        assert!(map.insert([name.as_bytes(), b"1"], HASHER));
    }
    assert!(!map.insert([b"a", b"another value"], HASHER));
    map.remove(b"b");
    map.insert([b"b", b"2"], HASHER);
    let value = |text: &str| text.as_bytes().to_vec();
    let expected = [("a", "another value"), ("c", "1"), ("b", "2")];
    assert_eq!(
        pairs(&map),
        expected.map(|(name, text)| (value(name), value(text)))
    );
    assert!(matches!(map.0, Repr::Small(_)));
    assert!(map.heap_bytes(0) <= 64, "{}", map.heap_bytes(0));
}

#[test]
fn each_entry_is_drawn_as_often_as_any_other() {
    for len in [10_u32, 700, 5000] {
        let mut map = Map::<1>::new();
        (0..len).for_each(|number| {
            map.insert([&name(number, 3)], HASHER);
        });
        let mut counts = BTreeMap::new();
        let draws = u64::from(len) * 100;
        for random in 0..draws {
            let drawn = map.random(mix(random)).unwrap().name().to_vec();
            *counts.entry(drawn).or_insert(0_u32) += 1;
        }
        // The sum of squares over the expected count has the mean `len - 1`, and the deviation
        // sqrt(2 * len).
        let off = |count: u32| (f64::from(count) - 100.0).powi(2) / 100.0;
        let missing = f64::from(len) - counts.len() as f64;
        let sum: f64 = counts.values().map(|count| off(*count)).sum::<f64>() + missing * 100.0;
        let bound = f64::from(len) + 5.0 * f64::from(2 * len).sqrt();
        assert!(sum < bound, "{len}: {sum}");
    }
}

#[test]
fn what_maps_have_in_common_is_what_each_of_them_has() {
    let name = |number: u32| match number % 7 {
        0 => number.to_string().into_bytes(),
        1 => [
            number.to_string().into_bytes(),
            vec![b'l'; SHARED_BYTES_MIN],
        ]
        .concat(),
        _ => format!("name:{number}").into_bytes(),
    };
    let map = |numbers: std::ops::Range<u32>, step: usize, hasher: NameHasher| {
        let mut map = Map::<1>::new();
        for number in numbers.step_by(step) {
            map.insert([&name(number)], hasher);
        }
        map
    };
    let other_hasher = NameHasher::new([3, 4]);
    let maps = [
        map(0..0, 1, HASHER),
        map(0..40, 1, HASHER),
        map(20..60, 1, HASHER),
        map(0..3000, 1, HASHER),
        map(0..3000, 2, HASHER),
        map(1000..1300, 1, HASHER),
        map(0..9000, 3, other_hasher),
    ];
    let names =
        |map: &Map<1>| -> Vec<Vec<u8>> { map.iter().map(|entry| entry.name().to_vec()).collect() };
    for first in &maps {
        for second in &maps {
            for others in [&[][..], &[second], &[second, &maps[3]]] {
                let mut common = Vec::new();
                let ended = first.try_for_each_in(others, |entry| {
                    common.push(entry.name().to_vec());
                    ControlFlow::Continue(())
                });
                assert!(ended.is_continue());
                let in_all = |name: &Vec<u8>| others.iter().all(|other| other.find(name).is_some());
                assert!(names(first).into_iter().filter(in_all).eq(common));
            }
        }
    }
    let mut seen = 0;
    let ended = maps[3].try_for_each_in(&[&maps[4]], |_| {
        seen += 1;
        if seen == 5 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert!(ended.is_break() && seen == 5);
}

/// Entries that come together in the order of their hashes are as if they had come one by one.
#[test]
fn many_entries_come_together_as_one_by_one() {
    // From `SAME` on, all names are the same.
    const SAME: u32 = 1_000_000;
    let name = |number: u32| match number % 7 {
        _ if number >= SAME => b"one name".to_vec(),
        0 => number.to_string().into_bytes(),
        1 => [
            vec![b'n'; SHARED_BYTES_MIN],
            number.to_string().into_bytes(),
        ]
        .concat(),
        _ => format!("name {number}").into_bytes(),
    };
    let value = |number: u32| match number % 11 {
        0 => vec![b'v'; 600],
        1 => vec![b'w'; SHARED_BYTES_MIN],
        _ => number.to_string().into_bytes(),
    };
    // Names that are new, that are there, that come again, and that are all the same.
    let batches: [Vec<u32>; 5] = [
        (0..5000).collect(),
        (3000..9000).rev().collect(),
        (0..4000).map(|number| number % 700 + 8500).collect(),
        (SAME..SAME + 3000).collect(),
        (0..20_000).step_by(3).collect(),
    ];
    let (mut together, mut alone) = (Map::<2>::new(), Map::<2>::new());
    together.spread(HASHER);
    alone.spread(HASHER);
    let mut frozen = Vec::new();
    for numbers in batches {
        frozen.push((together.clone(), dated(&together)));
        let entries = numbers.iter().map(|number| (name(*number), value(*number)));
        let entries: Vec<(Vec<u8>, Vec<u8>)> = entries.collect();
        let names = entries.iter().map(|(name, _)| name.as_slice());
        let order = together.order_of(names).unwrap();
        let parts_of = |number: usize| [entries[number].0.as_slice(), entries[number].1.as_slice()];
        let come = together.insert_each(&order, parts_of, &mut Copied);
        let alone_come = entries.iter().filter(|(name, value)| {
            let parts = [name.as_slice(), value.as_slice()];
            alone.insert(parts, HASHER)
        });
        assert_eq!(come, alone_come.count());
        let sorted = |map: &Map<2>| {
            let mut all = dated(map);
            all.sort();
            all
        };
        assert_eq!(sorted(&together), sorted(&alone));
        assert_eq!(
            (together.len(), together.weight()),
            (alone.len(), alone.weight())
        );
        for (name, value) in sorted(&alone) {
            let found = together
                .find(&name)
                .map(|it| (it.value().to_vec(), it.date()));
            assert_eq!(found, Some(value));
        }
        // Tables are no fuller, and no emptier, than if they had grown one by one.
        let (bytes, alone_bytes) = (together.heap_bytes(0), alone.heap_bytes(0));
        assert!(
            bytes <= alone_bytes + alone_bytes / 50,
            "{bytes} and {alone_bytes}"
        );
    }
    for (map, before) in frozen {
        assert_eq!(dated(&map), before);
    }
}

#[test]
fn few_names_or_those_of_a_map_that_keeps_an_order_have_none() {
    let names: Vec<Vec<u8>> = (0..600).map(|number| name(number, 3)).collect();
    let order_of = |map: &Map<1>, count: usize| {
        let order = map.order_of(names[..count].iter().map(Vec::as_slice));
        order.map(|order| {
            let mut numbers = Vec::new();
            order.for_each(|number| &names[number], |number| numbers.push(number));
            numbers
        })
    };
    let mut map = Map::<1>::new();
    assert_eq!(order_of(&map, 600), None);
    names.iter().for_each(|name| {
        map.insert([name], HASHER);
    });
    assert_eq!(order_of(&map, 600), None);
    map.spread(HASHER);
    assert_eq!(order_of(&map, 511), None);
    let numbers = order_of(&map, 600).unwrap();
    let hash = |number: &usize| HASHER.hash(&names[*number]);
    assert!(numbers.is_sorted_by_key(hash));
    let mut all = numbers;
    all.sort_unstable();
    assert!(all.into_iter().eq(0..600));
}
