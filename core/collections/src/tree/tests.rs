use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Tree3 = Tree<3, 2>;
type Model = BTreeMap<[u64; 2], u64>;

/// What holds at all times; returns the number of rows.
fn check(node: &Node<3, 2>, low: [u64; 2], high: Option<[u64; 2]>, depth: usize) -> (usize, usize) {
    match node {
        Node::Leaf(rows) => {
            let keys: Vec<[u64; 2]> = rows.iter_from(0).map(|row| key_of(&row)).collect();
            assert!(keys.is_sorted_by(|one, next| one < next), "rows ascend");
            assert!(
                keys.iter()
                    .all(|key| *key >= low && high.is_none_or(|high| *key < high))
            );
            assert!(keys.len() <= Rows::<3>::LEN_MAX);
            assert!(
                rows.iter_from(0)
                    .all(|row| (0..3).all(|at| row[at] >= rows.at_least(at)))
            );
            (rows.len(), depth)
        }
        Node::Inner(inner) => {
            assert_eq!(inner.bounds.len(), inner.children.len());
            assert!((1..=CHILDREN_MAX).contains(&inner.children.len()));
            let mut len = 0;
            let mut depths = Vec::new();
            for (index, child) in inner.children.iter().enumerate() {
                assert!(!child.is_empty(), "only a root may be empty");
                let low = if index == 0 { low } else { inner.bounds[index] };
                let high = inner.bounds.get(index + 1).copied().or(high);
                let (child_len, child_depth) = check(child, low, high, depth + 1);
                len += child_len;
                depths.push(child_depth);
            }
            assert!(
                depths.iter().all(|depth| *depth == depths[0]),
                "all leaves are on one level"
            );
            (len, depths[0])
        }
    }
}

fn check_against(tree: &Tree3, model: &Model) {
    let (len, _) = tree
        .root
        .as_ref()
        .map_or((0, 0), |root| check(root, [0; 2], None, 0));
    assert_eq!(len, model.len());
    assert_eq!(tree.len(), model.len());
    let rows = model.iter().map(|(key, &value)| [key[0], key[1], value]);
    assert!(tree.range(&[0; 2]).eq(rows.clone()));
    assert_eq!(tree.first(), rows.clone().next());
    assert_eq!(tree.last(), rows.clone().next_back());
}

fn row(key: u64, value: u64) -> [u64; 3] {
    [key / 7, key % 7, value]
}

/// Keys from `start`, `step` apart.
fn keys(start: u64, step: u64, count: u64) -> impl ExactSizeIterator<Item = u64> + Clone {
    (0..count as u32).map(move |number| start + step * u64::from(number))
}

fn remove(tree: &mut Tree3, key: u64) {
    let len = tree.len();
    tree.edit(&[key_of(&row(key, 0))], |_| Edit::Remove);
    assert_eq!(tree.len(), len - 1);
}

#[derive(Clone, Debug)]
enum Step {
    Append {
        gap: u64,
        step: u64,
        count: u64,
        value: u64,
    },
    Insert {
        start: u64,
        step: u64,
        count: u64,
        value: u64,
    },
    Remove {
        start: u64,
        step: u64,
        count: u64,
    },
    Change {
        start: u64,
        step: u64,
        count: u64,
        value: u64,
    },
    Merge {
        start: u64,
        step: u64,
        count: u64,
        value: u64,
    },
    Freeze,
}

const SPACE: u64 = 60_000;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![4 => Just(1_u64), 2 => 0..1000_u64, 1 => any::<u64>()];
    let span = (
        0..SPACE,
        prop_oneof![3 => Just(1_u64), 2 => 2..4_u64, 1 => 4..500_u64],
        1..3000_u64,
    );
    let step = prop_oneof![
        4 => (1..9_u64, 1..4_u64, 1..3000_u64, value.clone())
            .prop_map(|(gap, step, count, value)| Step::Append { gap, step, count, value }),
        2 => (span.clone(), value.clone())
            .prop_map(|((start, step, count), value)| Step::Insert { start, step, count, value }),
        4 => span.clone().prop_map(|(start, step, count)| Step::Remove { start, step, count }),
        2 => (span.clone(), value.clone())
            .prop_map(|((start, step, count), value)| Step::Change { start, step, count, value }),
        3 => (span, value)
            .prop_map(|((start, step, count), value)| Step::Merge { start, step, count, value }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_tree_behaves_like_a_sorted_map(steps in steps()) {
        let (mut tree, mut model) = (Tree3::new(), Model::new());
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Append { gap, step, count, value } => {
                    let last = tree.last().map_or(0, |row| row[0] * 7 + row[1]);
                    let rows = keys(last + gap, step, count).map(|key| row(key, value));
                    model.extend(rows.clone().map(|row| ([row[0], row[1]], row[2])));
                    tree.append(rows);
                }
                Step::Insert { start, step, count, value } => {
                    for row in keys(start, step, count.min(400)).map(|key| row(key, value)) {
                        if model.insert([row[0], row[1]], value).is_some() {
                            remove(&mut tree, row[0] * 7 + row[1]);
                        }
                        tree.insert(&row);
                    }
                }
                Step::Remove { start, step, count } => {
                    let keys = keys(start, step, count).map(|key| key_of(&row(key, 0)));
                    let expected: Vec<_> = keys.clone()
                        .filter_map(|key| Some([key[0], key[1], model.remove(&key)?]))
                        .collect();
                    let mut removed = Vec::new();
                    tree.edit(&keys.collect::<Vec<_>>(), |row| {
                        removed.push(*row);
                        Edit::Remove
                    });
                    prop_assert_eq!(removed, expected);
                }
                Step::Change { start, step, count, value } => {
                    let keys = keys(start, step, count).map(|key| key_of(&row(key, 0)));
                    for key in keys.clone() {
                        model.entry(key).and_modify(|known| *known = value);
                    }
                    tree.edit(&keys.collect::<Vec<_>>(), |row| {
                        row[2] = value;
                        Edit::Keep
                    });
                }
                Step::Merge { start, step, count, value } => {
                    let rows = keys(start, step, count).map(|key| row(key, value));
                    let new: Vec<[u64; 3]> =
                        rows.filter(|row| !model.contains_key(&[row[0], row[1]])).collect();
                    model.extend(new.iter().map(|row| ([row[0], row[1]], row[2])));
                    tree.insert_ascending(&new);
                }
                Step::Freeze => frozen.push((tree.clone(), model.clone())),
            }
        }
        check_against(&tree, &model);
        let mut finder = tree.finder();
        for key in (0..SPACE / 7).map(|number| number * 7919 % SPACE / 3) {
            for key in [key, key + 1].map(|key| key_of(&row(key, 0))) {
                prop_assert_eq!(finder.find(&key), tree.find(&key));
            }
        }
        for key in keys(0, 331, SPACE / 331).map(|key| key_of(&row(key, 0))) {
            let found = model.get(&key).map(|&value| [key[0], key[1], value]);
            prop_assert_eq!(tree.find(&key), found);
            let up_to = model.range(..=key).next_back();
            let up_to = up_to.map(|(key, &value)| [key[0], key[1], value]);
            prop_assert_eq!(tree.last_up_to(&key), up_to);
            let next = model.range(key..).next();
            let next = next.map(|(key, &value)| [key[0], key[1], value]);
            prop_assert_eq!(tree.range(&key).next(), next);
        }
        for (tree, model) in frozen {
            check_against(&tree, &model);
        }
    }

    #[test]
    fn any_numbers_fit(
        rows in prop::collection::btree_map(any::<[u64; 2]>(), any::<u64>(), 1..600),
        order in any::<u64>(),
    ) {
        let (mut tree, mut model) = (Tree3::new(), Model::new());
        let mut shuffled: Vec<_> = rows.into_iter().collect();
        shuffled.sort_by_key(|(key, _)| (key[0] ^ order).wrapping_mul(order | 1));
        for (key, value) in shuffled {
            tree.insert(&[key[0], key[1], value]);
            model.insert(key, value);
        }
        check_against(&tree, &model);
    }
}

#[test]
fn three_levels_fill_from_the_end_and_empty_from_the_front() {
    let (mut tree, mut model) = (Tree3::new(), Model::new());
    let count = 40_000;
    for start in (0..count).step_by(100) {
        let rows = keys(start, 1, 100).map(|key| row(key, key % 3));
        model.extend(rows.clone().map(|row| ([row[0], row[1]], row[2])));
        tree.append(rows);
    }
    check_against(&tree, &model);
    let frozen = tree.clone();
    for start in (0..count).step_by(100) {
        let keys: Vec<_> = keys(start, 1, 100)
            .map(|key| key_of(&row(key, 0)))
            .collect();
        tree.edit(&keys, |_| Edit::Remove);
    }
    check_against(&tree, &Model::new());
    check_against(&frozen, &model);
}

#[test]
fn the_work_of_appending_many_rows_grows_with_their_number_alone() {
    let made = std::cell::Cell::new(0);
    let count = 100_000;
    let rows = keys(0, 1, count).map(|key| {
        made.set(made.get() + 1);
        row(key, 0)
    });
    let mut tree = Tree3::new();
    tree.append(rows);
    assert_eq!(tree.len() as u64, count);
    assert!(made.get() < 10 * count, "{} rows were made", made.get());
}

#[test]
fn keys_below_the_bound_of_an_inner_node_are_found_after_it_was_joined() {
    let (mut tree, mut model) = (Tree3::new(), Model::new());
    let leaf_len = Rows::<3>::LEN_MAX as u64;
    let inner_len = leaf_len * CHILDREN_MAX as u64;
    let all = keys(0, 1, 3 * inner_len).map(|key| row(key, 0));
    model.extend(all.clone().map(|row| ([row[0], row[1]], row[2])));
    tree.append(all);
    let remove = |tree: &mut Tree3, model: &mut Model, start: u64, end: u64| {
        let keys: Vec<_> = (start..end).map(|key| key_of(&row(key, 0))).collect();
        model.retain(|key, _| keys.binary_search(key).is_err());
        tree.edit(&keys, |_| Edit::Remove);
    };
    // The second inner node loses its first leaves, then gets keys from their range again.
    remove(&mut tree, &mut model, inner_len, inner_len + 9 * leaf_len);
    for key in inner_len..inner_len + 40 {
        tree.insert(&row(key, 1));
        model.insert(key_of(&row(key, 0)), 1);
    }
    // Few leaves stay in both, so that they are joined.
    remove(&mut tree, &mut model, 9 * leaf_len, inner_len);
    remove(
        &mut tree,
        &mut model,
        inner_len + 12 * leaf_len,
        2 * inner_len,
    );
    check_against(&tree, &model);
    for key in inner_len..inner_len + 40 {
        assert_eq!(tree.find(&key_of(&row(key, 0))), Some(row(key, 1)));
    }
}

#[test]
fn what_is_left_after_random_removals_takes_little_memory() {
    let mut tree = Tree3::new();
    tree.append(keys(0, 1, 50_000).map(|key| row(key, 1)));
    let full_bytes = tree.heap_bytes();
    let removed = (0..50_000_u64).filter(|key| key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58 != 0);
    let keys: Vec<_> = removed.map(|key| key_of(&row(key, 0))).collect();
    tree.edit(&keys, |_| Edit::Remove);
    assert!(tree.len() > 500, "{}", tree.len());
    let bytes_left = tree.heap_bytes();
    assert!(
        bytes_left < full_bytes / 16,
        "{bytes_left} of {full_bytes} bytes"
    );
}

#[test]
fn a_steadily_moving_run_is_not_rewritten_at_each_step() {
    // The group of a diligent consumer: a few entries pending, ever newer ones.
    let mut tree = Tree3::new();
    for key in 0..100_000 {
        tree.append([row(key, key)].into_iter());
        if key >= 50 {
            remove(&mut tree, key - 50);
        }
    }
    assert_eq!(tree.len(), 50);
    assert!(tree.heap_bytes() < 2000, "{} bytes", tree.heap_bytes());
}

#[test]
fn a_single_row_is_found_whatever_stands_behind_its_key() {
    for value in [0, 1, 1 << 20, 1 << 50, u64::MAX] {
        let mut tree = Tree3::new();
        tree.append([[5, 6, 7]].into_iter());
        tree.edit(&[[5, 6]], |row| {
            row[2] = value;
            Edit::Keep
        });
        assert_eq!(tree.find(&[5, 6]), Some([5, 6, value]));
        assert_eq!(
            [tree.find(&[5, 5]), tree.find(&[6, 6]), tree.find(&[0, 0])],
            [None; 3]
        );
        assert_eq!(tree.range(&[5, 7]).next(), None);
        tree.append([[9, 0, value]].into_iter());
        assert_eq!(tree.last_up_to(&[8, 8]), Some([5, 6, value]));
    }
}
