use proptest::prelude::*;
use stream::Retention;

use super::*;
use crate::context::Packing;
use crate::digest::Digest;
use crate::error::PayloadError;
use crate::payload::{dump, restore, sign};
use crate::ziplist::tests::ziplist;

fn list_of<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> List {
    let mut all = Elements {
        list: List::new(),
        thresholds: &Thresholds::DEFAULT,
    };
    elements.into_iter().for_each(|element| all.take(element));
    all.list
}

fn restored(payload: &[u8]) -> Result<List, PayloadError> {
    let context = Context {
        now_ms: 0,
        hash_seed: 1,
        retention: Retention {
            duration_s: 100,
            maxsize: 100,
        },
        thresholds: Thresholds::DEFAULT,
        packing: Packing::Later,
    };
    Ok(restore(payload, &context)?.get::<List>().unwrap().clone())
}

fn all(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(|element| element.to_vec()).collect()
}

/// What Redis 8.6.3 dumps.
#[test]
fn payloads_are_those_of_redis() {
    let small = list_of([b"x".as_slice(), b"1", b"hello"]);
    let payload = b"\x12\x01\x02\x13\x13\0\0\0\x03\0\x81x\x02\x01\x01\x85hello\x06\xff\x0d\0p\x0e>\xa8\x91\xe3\xc5~";
    assert_eq!(dump(&Value::from(small.clone())), payload);
    assert_eq!(all(&restored(payload).unwrap()), all(&small));
    let long = list_of([[b'x'; 8200].as_slice(), b"y", &[b'z'; 20_000]]);
    let payload = dump(&Value::from(long.clone()));
    assert!(payload.starts_with(b"\x12\x03\x01\xc3"), "{payload:?}");
    let back = restored(&payload).unwrap();
    assert_eq!(all(&back), all(&long));
    assert!(!back.is_listpack());
}

#[test]
fn lists_of_early_versions_are_read() {
    let payload = sign(b"\x01\x03\x01x\xc0\x01\x05hello".to_vec());
    let expected = [b"x".to_vec(), b"1".to_vec(), b"hello".to_vec()];
    assert_eq!(all(&restored(&payload).unwrap()), expected);
    let ziplist = ziplist(&expected);
    let len = ziplist.len() as u8;
    let small = sign([b"\x0a", [len].as_slice(), &ziplist].concat());
    assert_eq!(all(&restored(&small).unwrap()), expected);
    let node = [[len].as_slice(), &ziplist].concat();
    let large = sign([b"\x0e\x02".as_slice(), &node, &node].concat());
    let twice = [expected.clone(), expected].concat();
    assert_eq!(all(&restored(&large).unwrap()), twice);
}

#[test]
fn a_list_that_redis_would_not_make_is_refused() {
    let contents: [&[u8]; 8] = [
        // No elements, no nodes, and a node without elements.
        b"\x01\0",
        b"\x12\0",
        b"\x12\x01\x02\x07\x07\0\0\0\0\0\xff",
        // A node that is neither one element nor a listpack.
        b"\x12\x01\x03\x01x",
        // Ziplists without elements, and one that is cut off.
        b"\x0a\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff",
        b"\x0e\x01\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff",
        b"\x0e\x01\x0b\x0c\0\0\0\x0a\0\0\0\0\0\xff",
        // A listpack that is cut off.
        b"\x12\x01\x02\x07\x09\0\0\0\x01\0\x81",
    ];
    for content in contents {
        let error = restored(&sign(content.to_vec())).unwrap_err();
        assert!(
            matches!(error, PayloadError::Format(_)),
            "{content:?}: {error:?}"
        );
    }
}

#[test]
fn a_node_without_elements_is_passed_over_among_others() {
    let content = b"\x12\x02\x02\x07\x07\0\0\0\0\0\xff\x01\x01x";
    let list = restored(&sign(content.to_vec())).unwrap();
    assert_eq!(all(&list), [b"x".to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_and_digests_agree(
        elements in prop::collection::vec(
            prop_oneof![
                6 => prop::collection::vec(any::<u8>(), 0..60),
                6 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
                1 => (60..20_000_usize).prop_map(|len| vec![b'x'; len]),
            ],
            1..700,
        ),
    ) {
        let list = list_of(elements.iter().map(Vec::as_slice));
        let back = restored(&dump(&Value::from(list.clone()))).unwrap();
        prop_assert_eq!(all(&back), all(&list));
        prop_assert_eq!(back.is_listpack(), list.is_listpack());
        let digest = |list: List| Digest::of_value(&Value::from(list), None, 0);
        let mut other = List::new();
        for element in elements.iter().rev() {
            other.expect(1, element.len(), &Thresholds::DEFAULT);
            other.push(End::Left, Element::of(element), &mut Copied);
        }
        prop_assert_eq!(digest(back), digest(list.clone()));
        prop_assert_eq!(digest(other.clone()), digest(list.clone()));
        other.push(End::Left, Element::of(b""), &mut Copied);
        prop_assert_ne!(digest(other), digest(list));
    }
}
