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
