//! The directory against a plain map: contents, frozen views, scans, collisions, memory.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;

use super::{Directory, Entry, TABLE_LEN_MAX};

/// A value with its hash; the key is what `eq` compares.
type Value = (u64, u32);

fn hash_of(value: &Value) -> u64 {
    value.0
}

fn has(key: u32) -> impl Fn(&Value) -> bool {
    move |value| value.1 == key
}

/// A hash as the engine's would be.
fn spread(key: u32) -> u64 {
    let z = (u64::from(key) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    z ^ (z >> 32)
}

/// Hashes that are not spread: the cluster's slot in front, few distinct hashes, one hash.
fn skewed(key: u32, kind: u32) -> u64 {
    match kind {
        0 => spread(key),
        1 => (0x1234 << 50) | (spread(key) >> 14),
        2 => spread(key % 3),
        3 => u64::from(key),
        _ => u64::MAX,
    }
}

fn filled(keys: impl Iterator<Item = u32>) -> Directory<Value> {
    let mut directory = Directory::new();
    for key in keys {
        directory.insert(spread(key), (spread(key), key), hash_of);
    }
    directory
}

fn contents(directory: &Directory<Value>) -> BTreeSet<u32> {
    let keys: Vec<u32> = directory.iter().map(|value| value.1).collect();
    assert_eq!(keys.len(), directory.len());
    let set: BTreeSet<u32> = keys.iter().copied().collect();
    assert_eq!(set.len(), keys.len(), "no value is there twice");
    set
}

#[derive(Clone, Debug)]
enum Step {
    Add(u32),
    Change(u32),
    Remove(u32),
    RemoveRange(u32),
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3000_u32).prop_map(Step::Add),
        2 => (0..3000_u32).prop_map(Step::Change),
        2 => (0..3000_u32).prop_map(Step::Remove),
        1 => (0..3000_u32).prop_map(Step::RemoveRange),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Each step acts on 97 keys, so that tables split and merge; the map's value is a counter.
    #[test]
    fn it_holds_what_a_map_holds_and_a_frozen_view_never_changes(
        steps in steps(), kind in 0..5_u32,
    ) {
        // hash, key, counter
        type Counted = (u64, u32, u32);
        let hash_of = |value: &Counted| value.0;
        let mut directory: Directory<Counted> = Directory::new();
        let mut model: BTreeMap<u32, u32> = BTreeMap::new();
        let mut frozen = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let keys = |start: u32| (start..start + 97).map(|k| k % 3000);
            match *step {
                Step::Add(start) => {
                    for key in keys(start) {
                        let hash = skewed(key, kind);
                        match directory.entry(hash, |v| v.1 == key, hash_of) {
                            Entry::Occupied(mut entry) => {
                                prop_assert_eq!(entry.get().2, model[&key]);
                                entry.get_mut().2 += 1;
                            }
                            Entry::Vacant(entry) => entry.insert((hash, key, 0)).2 = 1,
                        }
                        *model.entry(key).or_default() += 1;
                    }
                }
                Step::Change(start) => {
                    for key in keys(start) {
                        let found = directory.find_mut(skewed(key, kind), |v| v.1 == key);
                        prop_assert_eq!(found.is_some(), model.contains_key(&key));
                        if let (Some(value), Some(count)) = (found, model.get_mut(&key)) {
                            value.2 += 5;
                            *count += 5;
                        }
                    }
                }
                Step::Remove(start) => {
                    for key in keys(start) {
                        let hash = skewed(key, kind);
                        let stamp = index as u64;
                        let gone = directory.remove(hash, |v| v.1 == key, hash_of, stamp);
                        prop_assert_eq!(gone.map(|v| v.2), model.remove(&key));
                        prop_assert!(gone.is_none() || directory.stamp(hash) >= stamp);
                    }
                }
                Step::RemoveRange(from) => {
                    for key in from..3000 {
                        let hash = skewed(key, kind);
                        directory.remove(hash, |v| v.1 == key, hash_of, index as u64);
                    }
                    model.retain(|key, _| *key < from);
                }
                Step::Freeze => frozen.push((directory.freeze(), model.clone())),
            }
            prop_assert_eq!(directory.len(), model.len());
        }
        frozen.push((directory, model));
        for (directory, model) in frozen {
            let seen: BTreeMap<u32, u32> = directory.iter().map(|v| (v.1, v.2)).collect();
            prop_assert_eq!(&seen, &model);
            for (key, count) in &model {
                let found = directory.find(skewed(*key, kind), |v| v.1 == *key);
                prop_assert_eq!(found.map(|v| v.2), Some(*count));
            }
        }
    }

    /// Between two steps of the scan the directory grows and shrinks at will.
    #[test]
    fn a_scan_shows_every_value_that_was_there_throughout(
        kept in 1..800_u32,
        count in 1..300_usize,
        churn in prop::collection::vec((0..4000_u32, any::<bool>()), 0..40),
        kind in 0..5_u32,
    ) {
        let mut directory: Directory<Value> = Directory::new();
        for key in 0..kept {
            directory.insert(skewed(key, kind), (skewed(key, kind), key), hash_of);
        }
        let mut seen = BTreeSet::new();
        let mut churn = churn.into_iter();
        let mut cursor = 0;
        let mut step_count = 0;
        loop {
            cursor = directory.scan(cursor, count, |value| { seen.insert(value.1); });
            prop_assert!(cursor < 1 << 48);
            if cursor == 0 {
                break;
            }
            step_count += 1;
            prop_assert!(step_count < 10_000, "a scan ends");
            if let Some((amount, grow)) = churn.next() {
                for key in 10_000..10_000 + amount {
                    let hash = skewed(key, kind);
                    let there = directory.find(hash, has(key)).is_some();
                    if grow && !there {
                        directory.insert(hash, (hash, key), hash_of);
                    } else if !grow && there {
                        directory.remove(hash, has(key), hash_of, 1);
                    }
                }
            }
        }
        for key in 0..kept {
            prop_assert!(seen.contains(&key), "{} is missing", key);
        }
    }
}

#[test]
fn a_scan_without_changes_shows_each_value_once_in_bounded_steps() {
    let directory = filled(0..20_000);
    let mut seen = BTreeSet::new();
    let mut cursor = 0;
    loop {
        let mut shown = 0;
        cursor = directory.scan(cursor, 10, |value| {
            shown += 1;
            assert!(seen.insert(value.1), "{} came twice", value.1);
        });
        assert!(shown <= 10 + TABLE_LEN_MAX);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 20_000);
}

#[test]
fn what_is_compared_first_is_mostly_what_is_looked_for() {
    let empty = Directory::<Value>::new();
    assert_eq!(empty.first_compared(&[0], |value| value.1), [None; 2]);
    for len in [1, 100, 5000] {
        let directory = filled(0..len);
        let (mut looked, mut found) = (0, 0);
        for first in (0..len).step_by(7) {
            let wanted: Vec<u32> = (first..len.min(first + 6)).collect();
            let hashes: Vec<u64> = wanted.iter().map(|key| spread(*key)).collect();
            let compared: [_; 8] = directory.first_compared(&hashes, |value| value.1);
            let (compared, rest) = compared.split_at(wanted.len());
            assert!(rest.iter().all(Option::is_none));
            for (wanted, compared) in wanted.iter().zip(compared) {
                looked += 1;
                found += u64::from(*wanted == compared.unwrap().1);
            }
        }
        assert!(
            looked > 0 && found * 10 >= looked * 9,
            "{found} of {looked}"
        );
    }
}

#[test]
fn any_number_is_a_cursor() {
    let directory = filled(0..5_000);
    for cursor in [1, 77, 1 << 47, (1 << 48) - 1, 1 << 48, u64::MAX] {
        assert!(directory.scan(cursor, 10, |_| {}) < 1 << 48);
    }
    assert_eq!(Directory::<Value>::new().scan(5, 10, |_| {}), 0);
}

#[test]
fn tables_come_in_the_order_of_their_prefixes() {
    let directory = filled(0..50_000);
    let hashes: Vec<u64> = directory.iter().map(|value| value.0).collect();
    let first = &hashes[..1000];
    let last = &hashes[hashes.len() - 1000..];
    assert!(first.iter().max() < last.iter().min());
    // 50,000 values lie in some 650 tables: far enough apart, the order holds for all.
    for (left, right) in hashes.iter().zip(&hashes[2 * TABLE_LEN_MAX..]) {
        assert!(left < right);
    }
}

#[test]
fn equal_hashes_neither_loop_nor_grow_without_end() {
    let mut directory: Directory<Value> = Directory::new();
    for key in 0..2_000 {
        directory.insert(7, (7, key), hash_of);
    }
    assert_eq!(contents(&directory).len(), 2_000);
    assert!(directory.find(7, has(1_999)).is_some());
    assert!(directory.find(7, has(2_000)).is_none());
    for key in 0..2_000 {
        assert!(directory.remove(7, has(key), hash_of, 1).is_some());
    }
    assert!(directory.is_empty());
}

#[test]
fn removing_everything_returns_the_memory() {
    let mut directory = filled(0..30_000);
    for key in 0..30_000 {
        directory.remove(spread(key), has(key), hash_of, u64::from(key));
    }
    assert!(directory.root.is_none());
    assert_eq!(directory.stamp(123), 29_999);
}

#[test]
fn removing_most_merges_the_tables() {
    let mut directory = filled(0..30_000);
    for key in 100..30_000 {
        directory.remove(spread(key), has(key), hash_of, 1);
    }
    let mut step_count = 0;
    let mut cursor = 0;
    loop {
        cursor = directory.scan(cursor, 1, |_| {});
        step_count += 1;
        if cursor == 0 {
            break;
        }
    }
    assert!(step_count <= 20, "{step_count} tables hold 100 values");
}

#[test]
fn a_write_copies_only_the_table_that_it_touches() {
    let mut directory: Directory<Rc<Value>> = Directory::new();
    for key in 0..20_000 {
        directory.insert(spread(key), Rc::new((spread(key), key)), |value| value.0);
    }
    let frozen = directory.freeze();
    assert!(
        directory.iter().all(|value| Rc::strong_count(value) == 1),
        "nothing is copied yet"
    );
    directory.find_mut(spread(5), |value| value.1 == 5);
    let copied = directory
        .iter()
        .filter(|value| Rc::strong_count(value) == 2)
        .count();
    assert!(
        (1..=TABLE_LEN_MAX).contains(&copied),
        "{copied} values were copied"
    );
    // A miss copies nothing.
    for key in 30_000..30_100 {
        assert!(
            directory
                .find_mut(spread(key), |value| value.1 == key)
                .is_none()
        );
        assert!(
            directory
                .remove(spread(key), |v| v.1 == key, |v| v.0, 1)
                .is_none()
        );
    }
    assert_eq!(
        directory
            .iter()
            .filter(|value| Rc::strong_count(value) == 2)
            .count(),
        copied
    );
    drop(frozen);
    assert!(directory.iter().all(|value| Rc::strong_count(value) == 1));
}

#[test]
fn a_stamp_is_never_below_that_of_a_removal() {
    let mut directory = filled(0..1_000);
    assert_eq!(directory.stamp(spread(3)), 0);
    directory.remove(spread(3), has(3), hash_of, 10);
    directory.remove(spread(3), has(3), hash_of, 90);
    assert_eq!(
        directory.stamp(spread(3)),
        10,
        "what was not there was not removed"
    );
    for key in 1_000..10_000 {
        directory.insert(spread(key), (spread(key), key), hash_of);
    }
    assert_eq!(directory.stamp(spread(3)), 10, "splitting keeps it");
    let old = directory.clear(70);
    assert_eq!((old.len(), directory.len()), (9_999, 0));
    assert_eq!(directory.stamp(spread(3)), 70);
    directory.insert(spread(3), (spread(3), 3), hash_of);
    assert_eq!(directory.stamp(spread(3)), 70);
}

#[test]
fn random_draws_reach_everything_about_equally() {
    assert_eq!(Directory::<Value>::new().random(1), None);
    let directory = filled(0..1_000);
    let mut hits = vec![0_u32; 1_000];
    for draw in 0..200_000_u32 {
        let value = directory.random(spread(draw)).expect("it is not empty");
        hits[value.1 as usize] += 1;
    }
    // 200 each on average.
    assert!(
        hits.iter().all(|hits| (40..1_000).contains(hits)),
        "{hits:?}"
    );
}

#[test]
fn random_draws_find_what_lies_behind_one_prefix() {
    for kind in 1..5 {
        let mut directory: Directory<Value> = Directory::new();
        for key in 0..3_000 {
            directory.insert(skewed(key, kind), (skewed(key, kind), key), hash_of);
        }
        let drawn: BTreeSet<u32> = (0..2_000)
            .filter_map(|draw| directory.random(draw))
            .map(|value| value.1)
            .collect();
        assert!(
            drawn.len() > 1_000,
            "{} different values for kind {kind}",
            drawn.len()
        );
    }
}
