use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const PAGE_BYTES_MAX: usize = Unsearched::PAGE_BYTES_MAX;

fn all(sequence: &Sequence) -> Vec<Vec<u8>> {
    sequence.iter().map(|element| element.to_vec()).collect()
}

fn check(sequence: &Sequence, model: &VecDeque<Vec<u8>>) {
    match &sequence.0 {
        Repr::Empty(_) => {}
        Repr::Small(page) => assert!(page.len() > 0 && page.cost() <= PAGE_BYTES_MAX),
        Repr::Large(large) => {
            let check_run = |run: &Elements<Unsearched>| match run.kept() {
                Kept::Page(page) => assert!(page.cost() <= PAGE_BYTES_MAX),
                Kept::Long(bytes) => assert!(bytes.len() >= SHARED_BYTES_MIN),
            };
            large.runs.check(&check_run, &|_, (), _| true);
        }
    }
    assert_eq!(sequence.len(), model.len());
    assert_eq!(all(sequence), Vec::from(model.clone()));
    let backwards: Vec<_> = sequence.iter().rev().map(|it| it.to_vec()).collect();
    assert!(backwards.iter().eq(model.iter().rev()));
}

#[derive(Clone, Debug)]
enum Step {
    PushFront(usize, Vec<u8>),
    PushBack(usize, Vec<u8>),
    PushEach(bool, Vec<(usize, Vec<u8>)>),
    Insert(prop::sample::Index, usize, Vec<u8>),
    Set(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Freeze,
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..60),
        4 => any::<i32>().prop_map(|number| number.to_string().into_bytes()),
        1 => (1000..3000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = any::<prop::sample::Index>();
    let step = prop_oneof![
        3 => (1..400_usize, element()).prop_map(|(count, it)| Step::PushFront(count, it)),
        3 => (1..400_usize, element()).prop_map(|(count, it)| Step::PushBack(count, it)),
        3 => (any::<bool>(), prop::collection::vec((1..900_usize, element()), 1..5))
            .prop_map(|(is_front, runs)| Step::PushEach(is_front, runs)),
        3 => (at.clone(), 1..200_usize, element()).prop_map(|(at, n, it)| Step::Insert(at, n, it)),
        2 => (at.clone(), element()).prop_map(|(at, it)| Step::Set(at, it)),
        4 => (at, prop_oneof![1..5_usize, 1..900_usize]).prop_map(|(at, n)| Step::Remove(at, n)),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_sequence_behaves_like_a_deque(steps in steps()) {
        let (mut sequence, mut model) = (Sequence::new(), VecDeque::new());
        let mut frozen = Vec::new();
        sequence.set_note(7);
        for step in steps {
            match step {
                Step::PushFront(count, bytes) => for _ in 0..count {
                    sequence.push_front(&bytes);
                    model.push_front(bytes.clone());
                },
                Step::PushBack(count, bytes) => for _ in 0..count {
                    sequence.push_back(&bytes);
                    model.push_back(bytes.clone());
                },
                Step::PushEach(is_front, runs) => {
                    let runs = runs.iter().flat_map(|(count, bytes)| std::iter::repeat_n(bytes, *count));
                    let elements = runs.clone().map(|bytes| Element::of(bytes));
                    match is_front {
                        true => {
                            sequence.push_each_front(elements, &mut Copied);
                            runs.for_each(|bytes| model.push_front(bytes.clone()));
                        }
                        false => {
                            sequence.push_each_back(elements, &mut Copied);
                            model.extend(runs.cloned());
                        }
                    }
                }
                Step::Insert(at, count, bytes) => for number in 0..count {
                    let at = (at.index(model.len() + 1) + number * 7) % (model.len() + 1);
                    sequence.insert(at, &bytes);
                    model.insert(at, bytes.clone());
                },
                Step::Set(at, bytes) => {
                    let at = at.index(model.len() + 1);
                    let is_there = at < model.len();
                    prop_assert_eq!(sequence.set(at, &bytes), is_there);
                    if is_there {
                        model[at] = bytes;
                    }
                }
                Step::Remove(at, count) => {
                    let from = at.index(model.len() + 1);
                    let to = (from + count).min(model.len());
                    sequence.remove(from, to);
                    model.drain(from..to);
                }
                Step::Freeze => frozen.push((sequence.clone(), model.clone())),
            }
            check(&sequence, &model);
            prop_assert_eq!(sequence.note(), 7);
        }
        for (at, bytes) in model.iter().enumerate() {
            prop_assert!(sequence.get(at).is_some_and(|it| it.to_vec() == *bytes));
        }
        prop_assert!(sequence.get(model.len()).is_none());
        let third = model.len() / 3;
        let middle: Vec<_> = sequence.range(third, 2 * third).map(|it| it.to_vec()).collect();
        prop_assert!(middle.iter().eq(model.range(third..2 * third)));
        let mut both_ends = sequence.range(third / 2, model.len() - third);
        let mut expected = model.range(third / 2..model.len() - third);
        // Two from the front, then one from the back.
        for turn in 1_usize.. {
            prop_assert_eq!(both_ends.len(), expected.len());
            let (element, bytes) = match turn.is_multiple_of(3) {
                true => (both_ends.next_back(), expected.next_back()),
                false => (both_ends.next(), expected.next()),
            };
            prop_assert_eq!(element.map(|it| it.to_vec()), bytes.cloned());
            if bytes.is_none() {
                break;
            }
        }
        for (sequence, model) in frozen {
            check(&sequence, &model);
        }
        let mut left = model.len();
        while sequence.shed(10_000) {
            prop_assert!(sequence.len() < left);
            left = sequence.len();
        }
        prop_assert_eq!((sequence.len(), sequence.weight()), (0, 0));
    }
}

#[test]
fn the_weight_follows_what_is_put_in_and_taken_out() {
    let mut sequence = Sequence::new();
    for number in 0..10_000_u32 {
        sequence.push_back(format!("element {number}").as_bytes());
    }
    sequence.set(5000, &[b'x'; 5000]);
    sequence.set(5000, b"short");
    let (weight, heap_bytes) = (sequence.weight(), sequence.heap_bytes());
    assert!(
        weight <= heap_bytes && heap_bytes < weight * 21 / 20,
        "{weight} of {heap_bytes}"
    );
    sequence.remove(0, 5000);
    assert!((weight / 2 - 1000..weight / 2 + 1000).contains(&sequence.weight()));
    sequence.remove(0, 5000);
    assert_eq!((sequence.weight(), sequence.heap_bytes()), (0, 0));
}
