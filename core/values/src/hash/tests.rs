use std::collections::BTreeMap;

use collections::in_steps;
use proptest::prelude::*;

use super::*;

const HASHER: NameHasher = NameHasher::new([1, 2]);

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

#[derive(Clone, Debug)]
enum Step {
    Set(u16, Vec<u8>, Deadline),
    Many(u16),
    Date(u16, Option<u64>),
    Dates(u16, u16, Option<u64>),
    Remove(u16),
    Freeze,
}

fn name(number: u16) -> Vec<u8> {
    match number % 17 {
        0 => [vec![b'n'; 1100], number.to_string().into_bytes()].concat(),
        1 => number.to_string().into_bytes(),
        _ => format!("field {number}").into_bytes(),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..60_u16;
    let at = 1..40_u64;
    let deadline = prop_oneof![
        Just(Deadline::Never),
        Just(Deadline::Kept),
        at.clone().prop_map(Deadline::At),
    ];
    let value = prop_oneof![
        8 => any::<i32>().prop_map(|number| number.to_string().into_bytes()),
        1 => Just(vec![b'v'; 1500]),
    ];
    prop_oneof![
        4 => (number.clone(), value, deadline).prop_map(|(it, value, at)| Step::Set(it, value, at)),
        1 => number.clone().prop_map(Step::Many),
        4 => (number.clone(), prop::option::of(at)).prop_map(|(it, at)| Step::Date(it, at)),
        3 => (number.clone(), 2..60_u16, prop::option::of(1..40_u64))
            .prop_map(|(it, count, at)| Step::Dates(it, count, at)),
        3 => number.prop_map(Step::Remove),
        1 => Just(Step::Freeze),
    ]
}

fn check(hash: &Hash, model: &Model) {
    let mut all: Vec<_> = hash
        .iter()
        .map(|it| (it.name().to_vec(), (it.value().to_vec(), it.date())))
        .collect();
    all.sort();
    assert!(all.iter().map(|(name, of)| (name, of)).eq(model.iter()));
    let mut order: Vec<_> = model
        .iter()
        .filter_map(|(name, (_, at))| at.map(|at| (at, name.clone())))
        .collect();
    order.sort();
    let deadlines = hash.deadlines().map(|(name, at)| (at, name.to_vec()));
    assert_eq!(deadlines.collect::<Vec<_>>(), order);
    assert_eq!(hash.next_deadline_ms(), order.first().map(|(at, _)| *at));
    assert_eq!(hash.has_deadlines(), !order.is_empty());
    for now in [0, 1, 20, 40] {
        let lives = |at: &Option<u64>| at.is_none_or(|at| at > now);
        let live: Vec<_> = model.iter().filter(|(_, (_, at))| lives(at)).collect();
        let fields = hash.as_of(now);
        assert_eq!(fields.len(), live.len());
        assert_eq!(fields.iter().count(), live.len());
        assert_eq!(hash.over(now), model.len() - live.len());
        assert_eq!(hash.is_over(now), !model.is_empty() && live.is_empty());
        for (name, (value, at)) in model {
            let found = fields.get(name).map(|value| value.to_vec());
            assert_eq!(found.as_ref(), lives(at).then_some(value));
        }
        let mut scanned = Vec::new();
        let mut cursor = 0;
        loop {
            cursor = fields.scan(cursor, 7, |it| scanned.push(it.name().to_vec()));
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned.len(), live.len());
        let random = fields.random(now * 77).map(|it| it.name().to_vec());
        assert_eq!(random.is_some(), !live.is_empty());
        assert!(random.is_none_or(|name| lives(&model[&name].1)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_hash_with_deadlines_behaves_like_a_tree_map(
        steps in prop::collection::vec(step(), 1..120),
        entries_max in prop_oneof![Just(4_usize), Just(512)],
    ) {
        let thresholds = Thresholds { hash_max_listpack_entries: entries_max, ..Thresholds::DEFAULT };
        let (mut hash, mut model) = (Hash::new(), Model::new());
        let mut frozen = Vec::new();
        let set = |hash: &mut Hash, model: &mut Model, name: Vec<u8>, value: Vec<u8>, deadline| {
            let before = model.get(&name).and_then(|(_, at)| *at);
            let is_new =
                hash.set_with(&name, &value, deadline, HASHER, &thresholds, &mut Copied);
            let after = match deadline {
                Deadline::Never => None,
                Deadline::At(at) => Some(at),
                Deadline::Kept => before,
            };
            assert_eq!(is_new, model.insert(name, (value, after)).is_none());
        };
        for step in steps {
            match step {
                Step::Set(it, value, deadline) => {
                    set(&mut hash, &mut model, name(it), value, deadline);
                }
                Step::Many(from) => for it in from..from + 40 {
                    set(&mut hash, &mut model, name(it), vec![b'm'; 30], Deadline::Kept);
                },
                Step::Date(it, at) => {
                    let found = model.get_mut(&name(it)).map(|(_, of)| *of = at);
                    prop_assert_eq!(hash.set_deadline(&name(it), at, HASHER), found.is_some());
                }
                Step::Dates(it, count, at) => {
                    let mut names: Vec<Vec<u8>> = (it..it + count).map(name).collect();
                    names.sort();
                    let found = names.iter().filter(|name| model.contains_key(*name)).count();
                    for name in &names {
                        model.entry(name.clone()).and_modify(|(_, of)| *of = at);
                    }
                    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
                    prop_assert_eq!(hash.set_deadlines(&names, at, HASHER), found);
                }
                Step::Remove(it) => {
                    let found = model.remove(&name(it));
                    prop_assert_eq!(hash.remove(&name(it), &mut Copied), found.is_some());
                }
                Step::Freeze => frozen.push((hash.clone(), model.clone())),
            }
            check(&hash, &model);
        }
        for (hash, model) in frozen {
            check(&hash, &model);
        }
    }
}

#[test]
fn many_fields_are_found_and_changed_a_few_at_a_time_as_one_by_one() {
    let names: Vec<String> = (0..60_000).map(|n| format!("field {n}")).collect();
    let bytes = || names.iter().map(String::as_bytes);
    let mut hash = Hash::new();
    in_steps(
        &mut hash,
        bytes(),
        |field| field,
        Hash::look_ahead,
        |hash, field| {
            hash.set(field, field, HASHER, &Thresholds::default());
        },
    );
    assert_eq!(hash.len(), names.len());
    for field in bytes().step_by(7) {
        assert!(hash.set_deadline(field, Some(17), HASHER));
    }
    let (mut seen, mut count) = (0, 0);
    let sought = || bytes().rev().step_by(3).chain([&b"none"[..], b"field 1"]);
    let fields = hash.as_of(0);
    fields.find_each(sought(), |field, found| {
        let alone = fields.find(field);
        let parts = |it: Entry<'_, 2>| (it.name().to_vec(), it.value().to_vec(), it.date());
        assert_eq!(found.map(parts), alone.map(parts));
        seen += 1;
        count += usize::from(found.is_some());
    });
    assert_eq!((seen, count), (20_002, 20_001));
}

#[test]
fn deadlines_of_many_fields_change_together_as_one_by_one() {
    let mut names: Vec<String> = (0..3000).map(|n| format!("field {n}")).collect();
    names.sort();
    let bytes: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    let (mut together, mut alone) = (Hash::new(), Hash::new());
    for field in &bytes {
        together.set(field, b"v", HASHER, &Thresholds::default());
        alone.set(field, b"v", HASHER, &Thresholds::default());
    }
    let every = |step| -> Vec<&[u8]> { bytes.iter().copied().step_by(step).collect() };
    for (step, at) in [
        (3, Some(9)),
        (1, Some(7)),
        (2, Some(8)),
        (5, None),
        (1, Some(3)),
        (1, None),
    ] {
        let fields = every(step);
        assert_eq!(together.set_deadlines(&fields, at, HASHER), fields.len());
        for field in fields {
            assert!(alone.set_deadline(field, at, HASHER));
        }
        assert!(together.deadlines().eq(alone.deadlines()));
        assert_eq!(together.over(7), alone.over(7));
    }
    assert!(!together.has_deadlines());
}

#[test]
fn many_fields_are_set_found_and_removed_together_as_one_by_one() {
    let thresholds = Thresholds::default();
    let field = |number: usize| match number % 50 {
        0 => [vec![b'n'; 1100], number.to_string().into_bytes()].concat(),
        _ => format!("field {number}").into_bytes(),
    };
    // In an order that jumps about, and a third of them again.
    let fields = |count: usize| -> Vec<Vec<u8>> {
        let jumping = (0..count).map(|number| field(number * 7919 % count));
        jumping.chain((0..count / 3).map(field)).collect()
    };
    let (mut together, mut alone) = (Hash::new(), Hash::new());
    let deadlines = [
        Deadline::Never,
        Deadline::At(9),
        Deadline::Kept,
        Deadline::At(7),
        Deadline::Never,
        Deadline::At(5),
    ];
    for (step, deadline) in deadlines.into_iter().enumerate() {
        let fields = fields(2000 + 500 * step);
        let values: Vec<String> = (0..fields.len()).map(|it| format!("{step} {it}")).collect();
        let pair = |number: usize| (fields[number].as_slice(), values[number].as_bytes());
        for hash in [&mut together, &mut alone] {
            hash.expect(fields.len(), HASHER, &thresholds);
        }
        let longs = &mut Copied;
        together.set_each(fields.len(), pair, deadline, HASHER, &thresholds, longs);
        for number in 0..fields.len() {
            let (field, value) = pair(number);
            alone.set_with(field, value, deadline, HASHER, &thresholds, longs);
        }
        compare(&together, &alone);
        let mut found = vec![None; fields.len()];
        let mut last = BTreeMap::new();
        let all = together.as_of(8);
        all.find_each_by_number(
            fields.len(),
            |it| &fields[it],
            |number, entry| {
                found[number] = Some(entry.map(|it| it.value().to_vec()));
                // Equal ones come in the order of their numbers.
                assert!(
                    last.insert(&fields[number], number)
                        .is_none_or(|before| before < number)
                );
            },
        );
        for (field, found) in fields.iter().zip(found) {
            let alone = all.get(field).map(|value| value.to_vec());
            assert_eq!(found, Some(alone));
        }
    }
    let gone = fields(1500);
    let removed = together.remove_each(gone.len(), |it| &gone[it], &mut Copied);
    let alone_removed = gone.iter().filter(|field| alone.remove(field, &mut Copied));
    assert_eq!(removed, alone_removed.count());
    assert_eq!(removed, 1500);
    compare(&together, &alone);
}

fn compare(hash: &Hash, other: &Hash) {
    let sorted = |hash: &Hash| {
        let parts = |it: Entry<'_, 2>| (it.name().to_vec(), it.value().to_vec(), it.date());
        let mut all: Vec<_> = hash.iter().map(parts).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(hash), sorted(other));
    assert!(hash.deadlines().eq(other.deadlines()));
}
