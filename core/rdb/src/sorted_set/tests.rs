use proptest::prelude::*;
use stream::Retention;
use values::Thresholds;

use super::*;
use crate::context::Packing;
use crate::error::PayloadError;
use crate::payload::{dump, restore, sign};

fn context(hash_seed: u64) -> Context {
    Context {
        now_ms: 0,
        hash_seed,
        retention: Retention {
            duration_s: 100,
            maxsize: 100,
        },
        thresholds: Thresholds::DEFAULT,
        packing: Packing::Later,
    }
}

fn placing() -> Placing<'static> {
    Placing {
        thresholds: &Thresholds::DEFAULT,
        hasher: NameHasher::new([1, 0]),
    }
}

fn set_of<'a>(pairs: impl IntoIterator<Item = (f64, &'a [u8])>) -> SortedSet {
    let mut set = SortedSet::new();
    for (score, member) in pairs {
        set.place(member, score, placing());
    }
    set
}

fn restored(payload: &[u8]) -> Result<SortedSet, PayloadError> {
    let value = restore(payload, &context(2))?;
    Ok(value.get::<SortedSet>().unwrap().clone())
}

fn content(set: &SortedSet) -> Vec<(u64, Vec<u8>)> {
    let pairs = set
        .iter()
        .map(|it| (it.score.to_bits(), it.member.to_vec()));
    pairs.collect()
}

/// What Redis 8.6.3 dumps, with its default settings and with `zset-max-listpack-entries 0`.
#[test]
fn payloads_are_those_of_redis() {
    let pairs = [
        (1.0, b"a".as_slice()),
        (2.5, b"b"),
        (f64::NEG_INFINITY, b"c"),
        (1e15, b"e"),
        (300.0, b"7"),
    ];
    let small = set_of(pairs);
    let payload = b"\x11\x2f\x2f\0\0\0\x0a\0\x81c\x02\x84-inf\x05\x81a\x02\x01\x01\x81b\x02\x832.5\x04\x07\x01\xc1,\x02\x81e\x02\xf4\0\x80\xc6\xa4~\x8d\x03\0\t\xff";
    let payload = sign(payload.to_vec());
    assert_eq!(dump(&Value::from(small.clone())), payload);
    let back = restored(&payload).unwrap();
    assert_eq!(content(&back), content(&small));
    assert!(back.is_listpack());
    let payload = b"\x05\x05\xc0\x07\0\0\0\0\0\xc0r@\x01b\0\0\0\0\0\0\x04@\x01a\0\0\0\0\0\0\xf0?\x01d\0\0\0\0\0\0\0\x80\x01c\0\0\0\0\0\0\xf0\xff\x0d\0A\xbfw\x17\xdd\xd4:\xca";
    let back = restored(payload).unwrap();
    // A listpack has no -0.
    let same = set_of([
        (0.0, b"d".as_slice()),
        pairs[0],
        pairs[1],
        pairs[2],
        pairs[4],
    ]);
    assert_eq!(content(&back), content(&same));
    assert!(back.is_listpack());
    let large = set_of([
        pairs[0],
        (-0.0, [b'x'; 65].as_slice()),
        (-0.0, b"d"),
        pairs[4],
    ]);
    let back = restored(&dump(&Value::from(large.clone()))).unwrap();
    assert_eq!(content(&back), content(&large));
    assert!(!back.is_listpack());
}

#[test]
fn scores_that_are_texts_are_read() {
    let payload = b"\x03\x04\x01a\x031.5\x01b\xff\x01c\xfe\x01d\x02-7";
    let back = restored(&sign(payload.to_vec())).unwrap();
    let pairs = [
        (1.5, b"a".as_slice()),
        (f64::NEG_INFINITY, b"b"),
        (f64::INFINITY, b"c"),
        (-7.0, b"d"),
    ];
    assert_eq!(content(&back), content(&set_of(pairs)));
}

#[test]
fn a_ziplist_is_read() {
    let payload = b"\x0c\x17\x17\0\0\0\x10\0\0\0\x04\0\0\xf3\x02\xf2\x02\x01a\x03\x03-.5\xff";
    let error = restored(&sign(payload.to_vec())).unwrap_err();
    assert!(matches!(error, PayloadError::Format(_)), "not in order");
    let payload = b"\x0c\x16\x16\0\0\0\x11\0\0\0\x04\0\0\xf3\x02\xf2\x02\x01a\x03\x021.\xff";
    let back = restored(&sign(payload.to_vec())).unwrap();
    let pairs = [(1.0, b"2".as_slice()), (1.0, b"a")];
    assert_eq!(content(&back), content(&set_of(pairs)));
}

#[test]
fn a_sorted_set_that_redis_would_not_make_is_refused() {
    let contents: [&[u8]; 14] = [
        // No members.
        b"\x03\0",
        b"\x05\0",
        b"\x11\x07\x07\0\0\0\0\0\xff",
        // A member without its score.
        b"\x11\x0a\x0a\0\0\0\x01\0\x81f\x02\xff",
        // A member twice.
        b"\x11\x0f\x0f\0\0\0\x04\0\x01\x01\x02\x01\x01\x01\x03\x01\xff",
        b"\x03\x02\x01f\x011\x01f\x012",
        // In another order.
        b"\x11\x0f\x0f\0\0\0\x04\0\x01\x01\x04\x01\x02\x01\x03\x01\xff",
        b"\x11\x0f\x0f\0\0\0\x04\0\x02\x01\x03\x01\x01\x01\x03\x01\xff",
        b"\x0c\x13\x13\0\0\0\x10\0\0\0\x04\0\0\xf2\x02\xf4\x02\xf3\x02\xf3\xff",
        // A member twice in a ziplist.
        b"\x0c\x13\x13\0\0\0\x10\0\0\0\x04\0\0\xf2\x02\xf3\x02\xf2\x02\xf4\xff",
        // Scores that are no numbers.
        b"\x03\x01\x01f\xfd",
        b"\x03\x01\x01f\x02x1",
        b"\x05\x01\x01f\0\0\0\0\0\0\xf8\x7f",
        b"\x11\x0e\x0e\0\0\0\x02\0\x81f\x02\x83nan\x04\xff",
    ];
    for content in contents {
        let error = restored(&sign(content.to_vec())).unwrap_err();
        assert!(
            matches!(error, PayloadError::Format(_)),
            "{content:?}: {error:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_and_digests_agree(
        pairs in prop::collection::btree_map(
            prop_oneof![
                8 => prop::collection::vec(any::<u8>(), 0..20),
                8 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
                1 => prop::collection::vec(any::<u8>(), 60..2000),
            ],
            prop_oneof![
                any::<f64>().prop_filter("a number", |score| !score.is_nan()),
                any::<i64>().prop_map(|number| number as f64),
                (0..20_i32).prop_map(f64::from),
                Just(f64::INFINITY),
                Just(-0.0),
            ],
            1..300,
        ),
    ) {
        let refs = || pairs.iter().map(|(member, score)| (*score, member.as_slice()));
        let mut built = Builder::new(placing());
        refs().for_each(|(score, member)| { built.place(member, score); });
        let set = built.finish();
        let back = restored(&dump(&Value::from(set.clone()))).unwrap();
        prop_assert_eq!(content(&back), content(&set));
        prop_assert_eq!(back.is_listpack(), set.is_listpack());
        let digest = |set: SortedSet| Digest::of_value(&Value::from(set), None, 0);
        prop_assert_eq!(digest(set_of(refs().rev())), digest(set.clone()));
        prop_assert_eq!(digest(back), digest(set.clone()));
        let mut other = set;
        other.place(b"one more", 1.0, placing());
        prop_assert_ne!(digest(other), digest(set_of(refs())));
    }
}
