use std::cmp::Reverse;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// As a sorted set orders them: by a score of eight bytes, then by member.
struct ByScore;

impl Order for ByScore {
    type Point<'a> = (Reverse<u64>, &'a [u8]);

    fn point(text: &[u8]) -> Self::Point<'_> {
        parts(text)
    }

    fn point_of_long(text: &LongText) -> Self::Point<'_> {
        let (score, _) = parts(text.head());
        (score, text.rest())
    }

    fn compare(text: Text<'_>, point: Self::Point<'_>) -> Ordering {
        match text {
            Text::Whole(text) => parts(text).cmp(&point),
            Text::Long(text) => ByScore::point_of_long(text).cmp(&point),
        }
    }

    fn head_len(_: &[u8]) -> usize {
        size_of::<u64>()
    }
}

/// The highest score comes first, so that the order is not that of the bytes.
fn parts(text: &[u8]) -> (Reverse<u64>, &[u8]) {
    let (score, member) = text.split_first_chunk().unwrap();
    (Reverse(u64::from_be_bytes(*score)), member)
}

fn text(score: u64, member: &[u8]) -> Vec<u8> {
    [score.to_be_bytes().as_slice(), member].concat()
}

type Model = BTreeSet<(Reverse<u64>, Vec<u8>)>;

fn texts(model: &Model) -> Vec<Vec<u8>> {
    let texts = model
        .iter()
        .map(|(Reverse(score), member)| text(*score, member));
    texts.collect()
}

/// Checks the tree, if there is one; returns its levels of inner nodes.
fn check_runs<O: Order>(sorted: &Sorted<O>) -> usize {
    let Repr::Large(large) = &sorted.0 else {
        return 0;
    };
    let compare = |one: Text<'_>, other: Text<'_>| match other {
        Text::Whole(other) => O::compare(one, O::point(other)),
        Text::Long(other) => O::compare(one, O::point_of_long(other)),
    };
    let check_run = |run: &Elements<Searched>| {
        let sides = (1..run.len()).map(|at| (run.nth(at - 1), run.nth(at)));
        let mut orders = sides.map(|(one, other)| compare(one, other));
        assert!(orders.all(Ordering::is_lt));
    };
    let is_between = |left: &Elements<Searched>, bound: &Bound, right: &Elements<Searched>| {
        let last = left.nth(left.len() - 1);
        compare(last, bound.text()).is_lt() && compare(bound.text(), right.nth(0)).is_le()
    };
    large.runs.check(&check_run, &is_between)
}

fn check(sorted: &Sorted<ByScore>, model: &Model) {
    check_runs(sorted);
    assert_eq!(sorted.len(), model.len());
    let texts = texts(model);
    let kept = sorted.iter().map(|text| text.to_vec());
    assert!(kept.eq(texts.iter().cloned()));
    let kept = sorted.iter().rev().map(|text| text.to_vec());
    assert!(kept.eq(texts.iter().rev().cloned()));
}

#[derive(Clone, Debug)]
enum Step {
    /// Scores from `start`, `step` apart.
    Insert {
        start: u64,
        step: u64,
        count: u64,
        len: usize,
    },
    Remove {
        start: u64,
        step: u64,
        count: u64,
        len: usize,
    },
    /// Those that are there get scores that are higher by so much.
    Replace {
        start: u64,
        step: u64,
        count: u64,
        len: usize,
        by: u64,
    },
    RemoveRanks(prop::sample::Index, usize),
    /// Short ones, together.
    InsertEach(u64, u64, u64),
    RemoveEach(u64, u64, u64),
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let span = || {
        (
            0..3000_u64,
            0..9_u64,
            1..600_u64,
            prop_oneof![18 => 0..30_usize, 1 => 990..1020_usize, 1 => 1000..2500_usize],
        )
    };
    let step = prop_oneof![
        4 => span().prop_map(|(start, step, count, len)| Step::Insert { start, step, count, len }),
        3 => span().prop_map(|(start, step, count, len)| Step::Remove { start, step, count, len }),
        2 => (span(), prop_oneof![1..5_u64, Just(700)]).prop_map(|((start, step, count, len), by)| {
            Step::Replace { start, step, count, len, by }
        }),
        1 => (any::<prop::sample::Index>(), 1..900_usize).prop_map(|(at, n)| Step::RemoveRanks(at, n)),
        2 => (0..3000_u64, 0..9_u64, 1..900_u64).prop_map(|(a, b, c)| Step::InsertEach(a, b, c)),
        2 => (0..3000_u64, 0..9_u64, 1..900_u64).prop_map(|(a, b, c)| Step::RemoveEach(a, b, c)),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..30)
}

/// One of the texts of a step: without steps, only the members differ.
fn number(start: u64, step: u64, index: u64, len: usize) -> (u64, Vec<u8>) {
    let member = [vec![b'm'; len], (index % 50).to_be_bytes().to_vec()].concat();
    (start + index * step, member)
}

/// The texts of a step in order, each once.
fn ordered(start: u64, step: u64, count: u64) -> Vec<Vec<u8>> {
    let members = (0..count).map(|index| number(start, step, index, 9));
    let members = members.map(|(score, member)| (Reverse(score), member));
    texts(&members.collect())
}

fn pair(text: &[u8]) -> (Reverse<u64>, Vec<u8>) {
    let (score, member) = parts(text);
    (score, member.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sorted_collection_behaves_like_a_tree_set(steps in steps()) {
        let (mut sorted, mut model) = (Sorted::<ByScore>::new(), Model::new());
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Insert { start, step, count, len } => for index in 0..count.min(100_000 / (len as u64 + 1)) {
                    let (score, member) = number(start, step, index, len);
                    let is_new = sorted.insert(&text(score, &member));
                    prop_assert_eq!(is_new, model.insert((Reverse(score), member)));
                },
                Step::Remove { start, step, count, len } => for index in 0..count {
                    let (score, member) = number(start, step, index, len);
                    let was_there = sorted.remove(&text(score, &member));
                    prop_assert_eq!(was_there, model.remove(&(Reverse(score), member)));
                },
                Step::Replace { start, step, count, len, by } => for index in 0..count {
                    let (score, member) = number(start, step, index, len);
                    let new = (Reverse(score + by), member.clone());
                    if !model.contains(&new) && model.remove(&(Reverse(score), member.clone())) {
                        let (from, to) = (text(score, &member), text(score + by, &member));
                        if from.len() < SHARED_BYTES_MIN {
                            sorted.replace(&from, &to);
                        } else {
                            sorted.remove(&from);
                            sorted.insert(&to);
                        }
                        model.insert(new);
                    }
                },
                Step::RemoveRanks(at, count) => {
                    let from = at.index(model.len() + 1);
                    let gone: Vec<_> = model.iter().skip(from).take(count).cloned().collect();
                    sorted.remove_ranks(from, from + count);
                    gone.iter().for_each(|it| { model.remove(it); });
                }
                Step::InsertEach(start, step, count) => {
                    let texts = ordered(start, step, count);
                    sorted.insert_each(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
                    model.extend(texts.iter().map(|it| pair(it)));
                }
                Step::RemoveEach(start, step, count) => {
                    let texts = ordered(start, step, count);
                    sorted.remove_each(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
                    texts.iter().for_each(|it| { model.remove(&pair(it)); });
                }
                Step::Freeze => frozen.push((sorted.clone(), model.clone())),
            }
            check(&sorted, &model);
        }
        let all = texts(&model);
        for (rank, text) in all.iter().enumerate() {
            prop_assert_eq!(sorted.rank(text), Ok(rank));
            prop_assert_eq!(sorted.get(rank).map(|it| it.to_vec()), Some(text.clone()));
        }
        prop_assert!(sorted.get(all.len()).is_none());
        for score in (0..9000).step_by(97) {
            let before = model.range(..(Reverse(score), Vec::new())).count();
            prop_assert_eq!(sorted.rank(&text(score, b"")), Err(before));
            let is_before = |text: Text<'_>| parts(&text.to_vec()).0 < Reverse(score);
            prop_assert_eq!(sorted.rank_by(is_before), before);
        }
        for (sorted, model) in frozen {
            check(&sorted, &model);
        }
        while sorted.shed(10_000) {
            let first = sorted.iter().next();
            prop_assert!(first.is_some());
        }
        prop_assert_eq!((sorted.len(), sorted.weight()), (0, 0));
    }
}

#[test]
fn texts_that_come_together_leave_full_pages() {
    let all: Vec<Vec<u8>> = (0..40_000_u64)
        .map(|n| text(50_000 - n, b"member"))
        .collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let (mut before, rest) = (Sorted::<ByScore>::new(), &all[1..39_999]);
    // Between others as well as at an end.
    before.insert_each(&[all[0], all[39_999]]);
    for mut sorted in [Sorted::<ByScore>::new(), before] {
        let len = sorted.len();
        for some in rest.chunks(500) {
            sorted.insert_each(some);
        }
        assert_eq!(sorted.len(), rest.len() + len);
        let bytes = rest.len() * (rest[0].len() + 2);
        assert!(
            sorted.heap_bytes() < bytes * 5 / 4,
            "{}",
            sorted.heap_bytes()
        );
        for some in rest.chunks(300) {
            sorted.remove_each(some);
        }
        assert_eq!(sorted.len(), len);
    }
}

#[test]
fn a_long_text_is_not_copied() {
    let member = Arc::new(vec![b'm'; 5000]);
    let mut sorted = Sorted::<ByScore>::new();
    for score in 0..500 {
        sorted.insert(&text(score, b"short"));
        let long = LongText::new(&score.to_be_bytes(), member.clone());
        assert!(sorted.insert_long(long));
    }
    assert!(sorted.heap_bytes() < 500 * 200);
    let Some(Text::Long(first)) = sorted.get(0) else {
        panic!("the long member comes first");
    };
    assert!(Arc::ptr_eq(first.rest(), &member));
    for score in 0..500 {
        assert!(sorted.remove_at((Reverse(score), &member)));
        assert!(!sorted.remove_at((Reverse(score), &member)));
    }
    // Few of those that went are still bounds.
    assert_eq!(sorted.len(), 500);
    assert!(Arc::strong_count(&member) < 25);
    sorted.remove_ranks(0, 500);
    assert_eq!(Arc::strong_count(&member), 1);
}

#[test]
fn texts_of_half_a_page_come_in_their_order() {
    let text = |number: u64| [&number.to_be_bytes(), vec![b'm'; 1010].as_slice()].concat();
    let mut sorted = Sorted::<ByBytes>::new();
    // Into the middle of what is there each time, then before and behind it.
    let numbers = [90, 10, 50, 30, 70, 40, 60, 5, 95];
    for (at, number) in numbers.into_iter().enumerate() {
        assert!(sorted.insert(&text(number)));
        let mut model: Vec<Vec<u8>> = numbers[..=at].iter().map(|it| text(*it)).collect();
        model.sort();
        assert!(
            sorted
                .iter()
                .map(|text| text.to_vec())
                .eq(model.iter().cloned())
        );
        check_runs(&sorted);
        for (rank, text) in model.iter().enumerate() {
            assert_eq!(sorted.rank(text), Ok(rank));
        }
    }
    sorted.insert_each(&[b"".as_slice(), &text(7), &text(33)]);
    let found = [0, 2, 5].map(|rank| sorted.get(rank).map(|text| text.to_vec()));
    assert_eq!(found, [vec![], text(7), text(33)].map(Some));
}

#[test]
fn texts_come_before_the_first_ones_of_inner_nodes_that_are_joined_later() {
    // Two of them fill a page, so that there are three levels of inner nodes.
    let text = |number: usize| [&number.to_be_bytes(), vec![b'm'; 900].as_slice()].concat();
    let mut before = Sorted::<ByBytes>::new();
    let numbers: Vec<usize> = (0..20_000).step_by(10).collect();
    numbers.iter().for_each(|number| {
        before.insert(&text(*number));
    });
    assert_eq!(check_runs(&before), 2);
    for first in (10..numbers.len() - 10).step_by(3) {
        let mut sorted = before.clone();
        // Where an inner node begins, its first children go, others come in their place, and it has
        // few children in the end, as has the one before it.
        sorted.remove_ranks(first, first + 5);
        let come: Vec<Vec<u8>> = (1..4).map(|n| text(numbers[first] + n)).collect();
        come.iter().for_each(|text| {
            sorted.insert(text);
        });
        sorted.remove_ranks(first + 13, sorted.len());
        sorted.remove_ranks(10, first.saturating_sub(10));
        check_runs(&sorted);
        for text in &come {
            assert!(sorted.remove(text), "at {first}");
        }
    }
}
