use std::cmp::Reverse;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// As a sorted set orders them: by a score of eight bytes, then by member.
struct ByScore;

impl Order for ByScore {
    type Point<'a> = &'a [u8];

    fn point(text: &[u8]) -> &[u8] {
        text
    }

    fn compare(text: &[u8], point: &[u8]) -> Ordering {
        parts(text).cmp(&parts(point))
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

fn check(sorted: &Sorted<ByScore>, model: &Model) {
    if let Repr::Large(large) = &sorted.0 {
        large.runs.check(&|run| {
            let texts: Vec<&[u8]> = (0..run.len()).map(|at| run.text(at)).collect();
            assert!(texts.is_sorted_by(|one, next| ByScore::compare(one, next).is_lt()));
        });
    }
    assert_eq!(sorted.len(), model.len());
    let texts = texts(model);
    assert!(sorted.iter().eq(texts.iter().map(Vec::as_slice)));
    assert!(
        sorted
            .iter()
            .rev()
            .eq(texts.iter().rev().map(Vec::as_slice))
    );
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
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let span = || {
        (
            0..3000_u64,
            0..9_u64,
            1..600_u64,
            prop_oneof![9 => 0..30_usize, 1 => 1000..2500_usize],
        )
    };
    let step = prop_oneof![
        4 => span().prop_map(|(start, step, count, len)| Step::Insert { start, step, count, len }),
        3 => span().prop_map(|(start, step, count, len)| Step::Remove { start, step, count, len }),
        2 => (span(), prop_oneof![1..5_u64, Just(700)]).prop_map(|((start, step, count, len), by)| {
            Step::Replace { start, step, count, len, by }
        }),
        1 => (any::<prop::sample::Index>(), 1..900_usize).prop_map(|(at, n)| Step::RemoveRanks(at, n)),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..30)
}

/// One of the texts of a step: without steps, only the members differ.
fn number(start: u64, step: u64, index: u64, len: usize) -> (u64, Vec<u8>) {
    let member = [vec![b'm'; len], (index % 50).to_be_bytes().to_vec()].concat();
    (start + index * step, member)
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
                        sorted.replace(&text(score, &member), &text(score + by, &member));
                        model.insert(new);
                    }
                },
                Step::RemoveRanks(at, count) => {
                    let from = at.index(model.len() + 1);
                    let gone: Vec<_> = model.iter().skip(from).take(count).cloned().collect();
                    sorted.remove_ranks(from, from + count);
                    gone.iter().for_each(|it| { model.remove(it); });
                }
                Step::Freeze => frozen.push((sorted.clone(), model.clone())),
            }
            check(&sorted, &model);
        }
        let all = texts(&model);
        for (rank, text) in all.iter().enumerate() {
            prop_assert_eq!(sorted.rank(text), Ok(rank));
            prop_assert_eq!(sorted.get(rank), Some(text.as_slice()));
        }
        prop_assert_eq!(sorted.get(all.len()), None);
        for score in (0..9000).step_by(97) {
            let before = model.range(..(Reverse(score), Vec::new())).count();
            prop_assert_eq!(sorted.rank(&text(score, b"")), Err(before));
            let is_before = |text: &[u8]| parts(text).0 < Reverse(score);
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
