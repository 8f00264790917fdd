use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn growth(thresholds: &Thresholds) -> Growth<'_> {
    let hasher = NameHasher::new([1, 2]);
    Growth { hasher, thresholds }
}

fn sorted(set: &Set) -> Vec<Vec<u8>> {
    let mut members: Vec<_> = set.iter().map(|it| it.to_vec()).collect();
    members.sort();
    members
}

fn number(it: i64) -> Vec<u8> {
    it.to_string().into_bytes()
}

/// What the form of a set is after these members came, by Redis 8.6.3.
#[test]
fn forms_are_left_as_in_redis_and_never_entered_again() {
    use SetForm::{Hashtable, Intset, Listpack};

    let thresholds = Thresholds::DEFAULT;
    let growth = growth(&thresholds);
    let numbers = |count: i64| (0..count).map(number).collect::<Vec<_>>();
    let words = |count: i64| (0..count).map(|it| format!("w{it}").into_bytes());
    let words = |count: i64| words(count).collect::<Vec<_>>();
    let text = |text: &str| vec![text.as_bytes().to_vec()];
    let rows = [
        (numbers(512), Intset),
        (numbers(513), Hashtable),
        ([numbers(127), text("a")].concat(), Listpack),
        ([numbers(128), text("a")].concat(), Hashtable),
        ([text("a"), numbers(127)].concat(), Listpack),
        ([numbers(1), text(&"x".repeat(64))].concat(), Listpack),
        ([numbers(1), text(&"x".repeat(65))].concat(), Hashtable),
        (words(128), Listpack),
        (words(129), Hashtable),
    ];
    for (members, form) in rows {
        let mut set = Set::new();
        for member in &members {
            assert!(set.add(member, growth));
        }
        assert_eq!(set.form(), form, "{} members", members.len());
        assert!(!set.add(&members[0], growth));
        for member in &members[1..] {
            assert!(set.remove(member, &mut Copied));
        }
        assert_eq!((set.form(), set.len()), (form, 1));
    }
    let few = Thresholds {
        set_max_intset_entries: 4,
        ..thresholds
    };
    let rows = [
        ("1", 512, &thresholds, Intset),
        ("1", 513, &thresholds, Hashtable),
        ("a", 128, &thresholds, Listpack),
        ("a", 129, &thresholds, Hashtable),
        ("1", 5, &few, Listpack),
    ];
    for (first, count, thresholds, form) in rows {
        let growth = Growth {
            thresholds,
            ..growth
        };
        let set = Set::begin(first.as_bytes(), count, growth, &mut Copied);
        assert_eq!(set.form(), form, "{count} from {first}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>),
    Numbers { start: i64, count: i64 },
    Remove(Vec<u8>),
    RemoveNumbers { start: i64, count: i64 },
    Freeze,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-9..40_i64).prop_map(number),
        1 => any::<i64>().prop_map(number),
        3 => "[a-c]{0,2}".prop_map(String::into_bytes),
        1 => (60..70_usize).prop_map(|len| vec![b'x'; len]),
        1 => (1000..1050_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let span = || (0..60_i64, 0..40_i64);
    let step = prop_oneof![
        4 => member().prop_map(Step::Add),
        2 => span().prop_map(|(start, count)| Step::Numbers { start, count }),
        3 => member().prop_map(Step::Remove),
        1 => span().prop_map(|(start, count)| Step::RemoveNumbers { start, count }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_set_behaves_like_a_tree_set(
        steps in steps(),
        set_max_intset_entries in 0..60_usize,
        set_max_listpack_entries in 0..60_usize,
    ) {
        let thresholds = Thresholds {
            set_max_intset_entries,
            set_max_listpack_entries,
            ..Thresholds::DEFAULT
        };
        let growth = growth(&thresholds);
        let (mut set, mut model) = (Set::new(), BTreeSet::new());
        let mut frozen = Vec::new();
        for step in steps {
            let (adds, members) = match step {
                Step::Add(member) => (true, vec![member]),
                Step::Numbers { start, count } => {
                    (true, (start..start + count).map(number).collect())
                }
                Step::Remove(member) => (false, vec![member]),
                Step::RemoveNumbers { start, count } => {
                    (false, (start..start + count).map(number).collect())
                }
                Step::Freeze => {
                    frozen.push((set.clone(), model.clone()));
                    continue;
                }
            };
            for member in members {
                if adds {
                    prop_assert_eq!(set.add(&member, growth), model.insert(member));
                } else {
                    prop_assert_eq!(set.remove(&member, &mut Copied), model.remove(&member));
                }
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert_eq!(set.iter().len(), model.len());
            prop_assert!(sorted(&set).iter().eq(model.iter()));
            match set.form() {
                SetForm::Intset => {
                    prop_assert!(set.len() <= set_max_intset_entries);
                    prop_assert!(set.iter().all(|it| it.as_integer().is_some()));
                }
                SetForm::Listpack => prop_assert!(set.len() <= set_max_listpack_entries),
                SetForm::Hashtable => {}
            }
        }
        for member in &model {
            prop_assert!(set.contains(member));
        }
        prop_assert!(!set.contains(b"none"));
        for (set, model) in frozen {
            prop_assert!(sorted(&set).iter().eq(model.iter()));
        }
    }
}

#[test]
fn an_intset_may_have_more_integers_than_are_packed() {
    let thresholds = Thresholds {
        set_max_intset_entries: 2000,
        ..Thresholds::DEFAULT
    };
    let growth = growth(&thresholds);
    let mut set = Set::new();
    for it in (0..2000).rev() {
        assert!(set.add(&number(it), growth));
    }
    assert_eq!((set.form(), set.len()), (SetForm::Intset, 2000));
    assert!(set.contains(b"1999") && !set.contains(b"2000") && !set.contains(b"a"));
    assert!(set.remove(b"7", &mut Copied) && !set.remove(b"7", &mut Copied));
    assert!(set.add(b"a", growth));
    assert_eq!((set.form(), set.len()), (SetForm::Hashtable, 2000));
}

type Fold = fn(&BTreeSet<Vec<u8>>, &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>>;

/// A number in each of many draws (SplitMix64).
fn numbers() -> impl FnMut() -> u64 {
    let mut state = 7_u64;
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Sets in each of their forms and sizes, also such as have shrunk.
fn sets_of_all_forms() -> Vec<Set> {
    let thresholds = Thresholds::DEFAULT;
    let growth = growth(&thresholds);
    let of = |members: &mut dyn Iterator<Item = String>| {
        let mut set = Set::new();
        members.for_each(|member| {
            set.add(member.as_bytes(), growth);
        });
        set
    };
    let mut shrunk = of(&mut (0..9000).map(|it| format!("shrunk {it}")));
    (0..8500).for_each(|it| {
        shrunk.remove(format!("shrunk {it}").as_bytes(), &mut Copied);
    });
    vec![
        of(&mut (0..1).map(|it| it.to_string())),
        of(&mut (0..100).map(|it| it.to_string())),
        of(&mut (0..100).map(|it| format!("few {it}"))),
        of(&mut (0..200).map(|it| format!("more {it}"))),
        of(&mut (0..3000).map(|it| format!("many {it}"))),
        shrunk,
    ]
}

/// How far counts are from all the same, in standard deviations of what chance would make of that
/// (chi square, which is about normal for so many counts).
fn deviation(counts: &std::collections::BTreeMap<Vec<u8>, u64>, len: usize) -> f64 {
    let drawn: u64 = counts.values().sum();
    let expected = drawn as f64 / len as f64;
    let missing = (len - counts.len()) as f64 * expected;
    let square = |count: &u64| (*count as f64 - expected).powi(2) / expected;
    let chi = counts.values().map(square).sum::<f64>() + missing;
    let freedom = (len - 1).max(1) as f64;
    (chi - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn each_member_is_drawn_with_the_same_chance() {
    let mut random = numbers();
    for set in sets_of_all_forms() {
        let len = set.len();
        for count in [1, 2, len / 20, len / 3, len - len / 10] {
            let count = count.clamp(1, len);
            let mut counts = std::collections::BTreeMap::new();
            for _ in 0..(60 * len).div_ceil(count) {
                let mut drawn: Vec<_> = match count {
                    1 => set.random(random()).into_iter().collect(),
                    _ => set.sample(count, &mut random),
                };
                let drawn: Vec<_> = drawn.drain(..).map(|it| it.to_vec()).collect();
                let different: BTreeSet<_> = drawn.iter().collect();
                assert_eq!(different.len(), count);
                for member in drawn {
                    *counts.entry(member).or_insert(0) += 1;
                }
            }
            let deviation = deviation(&counts, len);
            // What is drawn at once is different, so that there is less chance in it.
            assert!(deviation < 4.0, "{count} of {len}: {deviation}");
        }
    }
}

#[test]
fn all_members_are_drawn_if_that_many_are_wanted() {
    for set in sets_of_all_forms() {
        let len = set.len();
        for count in [len, len + 1, usize::MAX] {
            let drawn = set.sample(count, || 0);
            assert!(
                drawn
                    .iter()
                    .map(|it| it.to_vec())
                    .eq(set.iter().map(|it| it.to_vec()))
            );
        }
    }
    assert!(Set::new().random(7).is_none());
    assert!(Set::new().sample(3, || 0).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn sets_are_combined_as_tree_sets_are(
        contents in prop::collection::vec(
            prop_oneof![
                3 => prop::collection::btree_set(member(), 0..30),
                2 => prop::collection::btree_set((0..900_i64).prop_map(number), 0..700),
            ],
            1..5,
        ),
        few in any::<bool>(),
    ) {
        let thresholds = match few {
            true => Thresholds {
                set_max_intset_entries: 5,
                set_max_listpack_entries: 5,
                ..Thresholds::DEFAULT
            },
            false => Thresholds::DEFAULT,
        };
        let growth = growth(&thresholds);
        let of = |members: &BTreeSet<Vec<u8>>| {
            let mut set = Set::new();
            members.iter().for_each(|member| { set.add(member, growth); });
            set
        };
        let sets: Vec<Set> = contents.iter().map(of).collect();
        let fold = |f: Fold| {
            let (first, others) = contents.split_first().unwrap();
            others.iter().fold(first.clone(), |all, next| f(&all, next))
        };
        for (combination, expected) in [
            (Combination::Intersection, fold(|a, b| a & b)),
            (Combination::Union, fold(|a, b| a | b)),
            (Combination::Difference, fold(|a, b| a - b)),
        ] {
            let mut shown = Vec::new();
            let _ = combination.for_each(&sets, growth.hasher, |member| {
                shown.push(member.to_vec());
                std::ops::ControlFlow::Continue(())
            });
            shown.sort();
            prop_assert!(shown.iter().eq(expected.iter()), "{combination:?}");
            let result = combination.result(&sets, growth);
            prop_assert!(sorted(&result).iter().eq(expected.iter()), "{combination:?}");
            prop_assert_eq!(result.len(), expected.len());
            if !expected.is_empty() {
                prop_assert_eq!(result.form(), of(&expected).form());
            }
            let mut left = 2;
            let enough = combination.for_each(&sets, growth.hasher, |_| {
                left -= 1;
                match left {
                    0 => std::ops::ControlFlow::Break(()),
                    _ => std::ops::ControlFlow::Continue(()),
                }
            });
            prop_assert_eq!(enough.is_break(), expected.len() >= 2);
        }
        for (set, members) in sets.iter().zip(&contents) {
            prop_assert!(sorted(set).iter().eq(members.iter()));
        }
    }

    #[test]
    fn a_scan_shows_what_is_there_all_the_time_while_the_form_changes(
        before in prop_oneof![0..20_i64, 0..1500_i64],
        are_numbers in any::<bool>(),
        changes in prop::collection::vec((any::<bool>(), 0..800_i64, any::<bool>()), 0..20),
        count in 1..50_usize,
    ) {
        let thresholds = Thresholds::DEFAULT;
        let growth = growth(&thresholds);
        let name = |it: i64| match are_numbers {
            true => number(it),
            false => format!("member {it}").into_bytes(),
        };
        let mut set = Set::new();
        (0..before).for_each(|it| { set.add(&name(it), growth); });
        let mut stayed: BTreeSet<_> = (0..before).map(name).collect();
        let mut shown = BTreeSet::new();
        let (mut cursor, mut changes) = (0, changes.into_iter());
        loop {
            cursor = set.scan(cursor, count, |member| { shown.insert(member.to_vec()); });
            if cursor == 0 {
                break;
            }
            let Some((grows, span, is_text)) = changes.next() else {
                continue;
            };
            for it in 0..span {
                if grows {
                    set.add(&name(10_000 + it), growth);
                } else {
                    let gone = name(before - it);
                    set.remove(&gone, &mut Copied);
                    stayed.remove(&gone);
                }
            }
            if is_text {
                set.add(b"a text", growth);
            }
        }
        prop_assert!(stayed.is_subset(&shown));
    }
}

#[test]
fn many_members_come_and_go_together_as_one_by_one() {
    let member = |number: i64| match number % 50 {
        0 => number.to_string().into_bytes(),
        1 => [vec![b'm'; 1100], number.to_string().into_bytes()].concat(),
        _ => format!("member {number}").into_bytes(),
    };
    let thresholds = Thresholds::DEFAULT;
    let many = Thresholds {
        set_max_listpack_entries: 100_000,
        set_max_listpack_value: 10_000,
        set_max_intset_entries: 100_000,
        ..thresholds
    };
    for thresholds in [&thresholds, &many] {
        let growth = growth(thresholds);
        let (mut together, mut alone) = (Set::new(), Set::new());
        for (start, count) in [(0, 600), (300, 3000), (0, 5000)] {
            let numbers = (start..start + count).rev().chain(start..start + 9);
            let members: Vec<Vec<u8>> = numbers.map(member).collect();
            for set in [&mut together, &mut alone] {
                set.expect(
                    members.len(),
                    |it| members.get(it).map(Vec::as_slice),
                    growth,
                );
            }
            let member_of = |it: usize| members[it].as_slice();
            let added = together.add_each(members.len(), member_of, growth, &mut Copied);
            let new = members.iter().filter(|member| alone.add(member, growth));
            assert_eq!(added, new.count());
            assert_eq!(sorted(&together), sorted(&alone));
            assert_eq!(together.form(), alone.form());
        }
        let gone: Vec<Vec<u8>> = (100..1100).chain(7000..7010).map(member).collect();
        let removed = together.remove_each(gone.len(), |it| &gone[it], &mut Copied);
        assert_eq!(removed, 1000);
        let alone_removed = gone.iter().filter(|it| alone.remove(it, &mut Copied));
        assert_eq!(removed, alone_removed.count());
        assert_eq!(sorted(&together), sorted(&alone));
    }
}
