use std::collections::VecDeque;

use collections::map::Copied;
use proptest::prelude::*;

use super::*;

const DEFAULT: Thresholds = Thresholds::DEFAULT;

fn push(list: &mut List, end: End, bytes: &[u8]) {
    list.expect(1, bytes.len(), &DEFAULT);
    list.push(end, Element::of(bytes), &mut Copied);
}

fn encoding(list: &List) -> &'static str {
    list.encoding(0)
}

/// Redis 8.6.3 with its default settings does the same.
#[test]
fn a_list_is_a_listpack_as_long_as_in_redis() {
    let mut list = List::new();
    for _ in 0..511 {
        push(&mut list, End::Right, b"xxxxxxxxxxxxxx");
    }
    assert_eq!(encoding(&list), "listpack");
    push(&mut list, End::Left, b"xxxxxxxxxxxxxx");
    assert_eq!(encoding(&list), "quicklist");
    list.remove(0, 512 - 256, &DEFAULT, &mut Copied);
    assert_eq!(encoding(&list), "quicklist");
    list.remove(0, 1, &DEFAULT, &mut Copied);
    assert_eq!((list.len(), encoding(&list)), (255, "listpack"));

    // What comes together counts before it is packed.
    let mut long = List::new();
    long.expect(1, 8186, &DEFAULT);
    assert!(!long.is_listpack());
    let mut long = List::new();
    push(&mut long, End::Left, &[b'x'; 8185]);
    assert_eq!(encoding(&long), "listpack");
    push(&mut long, End::Left, b"");
    assert_eq!(encoding(&long), "quicklist");
    long.set(1, Element::of(b"short"), &DEFAULT, &mut Copied);
    assert_eq!(encoding(&long), "listpack");
}

/// How many elements of 14 bytes it takes to make it a quicklist, and at how many it is a listpack
/// again if they go from the right. Redis 8.6.3 says the same.
#[test]
fn all_settings_mean_what_they_mean_in_redis() {
    for (list_max_listpack_size, grown, shrunk) in [
        (128, 129, 64),
        (4, 5, 2),
        (0, 2, 0),
        (1, 2, 0),
        (-1, 256, 127),
        (-3, 1024, 511),
    ] {
        let thresholds = Thresholds {
            list_max_listpack_size,
            ..DEFAULT
        };
        let mut list = List::new();
        while list.is_listpack() {
            list.expect(1, 14, &thresholds);
            list.push(End::Right, Element::Text(&[b'y'; 14]), &mut Copied);
        }
        assert_eq!(list.len(), grown, "{list_max_listpack_size}");
        while !list.is_listpack() && !list.is_empty() {
            list.take(End::Right, &thresholds, &mut Copied);
        }
        assert_eq!(list.len(), shrunk, "{list_max_listpack_size}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(bool, Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
    Set(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..100),
        4 => any::<i64>().prop_map(|number| (number >> (number & 63)).to_string().into_bytes()),
        1 => (0..20_000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = any::<prop::sample::Index>();
    let step = prop_oneof![
        12 => (any::<bool>(), element()).prop_map(|(left, it)| Step::Push(left, it)),
        2 => (at.clone(), element()).prop_map(|(at, it)| Step::Insert(at, it)),
        2 => (at.clone(), element()).prop_map(|(at, it)| Step::Set(at, it)),
        3 => (at, 1..10_usize).prop_map(|(at, n)| Step::Remove(at, n)),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_behaves_like_a_deque_and_knows_the_length_of_its_listpack(steps in steps()) {
        let (mut list, mut model) = (List::new(), VecDeque::<Vec<u8>>::new());
        for step in steps {
            match step {
                Step::Push(true, bytes) => {
                    push(&mut list, End::Left, &bytes);
                    model.push_front(bytes);
                }
                Step::Push(false, bytes) => {
                    push(&mut list, End::Right, &bytes);
                    model.push_back(bytes);
                }
                Step::Insert(at, bytes) => {
                    let at = at.index(model.len() + 1);
                    list.expect(1, bytes.len(), &DEFAULT);
                    list.insert(at, Element::of(&bytes), &mut Copied);
                    model.insert(at, bytes);
                }
                Step::Set(at, bytes) if !model.is_empty() => {
                    let at = at.index(model.len());
                    list.expect(1, bytes.len(), &DEFAULT);
                    list.set(at, Element::of(&bytes), &DEFAULT, &mut Copied);
                    model[at] = bytes;
                }
                Step::Set(..) => {}
                Step::Remove(at, count) => {
                    let at = at.index(model.len() + 1);
                    let to = (at + count).min(model.len());
                    list.remove(at, to, &DEFAULT, &mut Copied);
                    model.drain(at..to);
                }
            }
            prop_assert_eq!(list.len(), model.len());
            let bytes = |end| list.end(end).map(|element| element.to_vec());
            prop_assert_eq!(bytes(End::Left), model.front().cloned());
            prop_assert_eq!(bytes(End::Right), model.back().cloned());
            let sum: usize = model.iter().map(|it| listpack::element_bytes(Element::of(it))).sum();
            prop_assert_eq!(list.listpack_bytes(), listpack::FRAME_BYTES + sum);
            if list.is_listpack() {
                prop_assert!(list.listpack_bytes() <= LISTPACK_BYTES_MAX + 16);
            }
        }
        prop_assert!(list.iter().map(|it| it.to_vec()).eq(model));
    }
}
