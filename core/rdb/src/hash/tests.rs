use proptest::prelude::*;
use stream::Retention;

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
        thresholds: values::Thresholds::DEFAULT,
        packing: Packing::Later,
    }
}

fn hash_of<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Hash {
    let mut hash = Hash::new();
    for (field, value) in pairs {
        hash.set(field, value, NameHasher::new([1, 0]), &Thresholds::DEFAULT);
    }
    hash
}

fn restored(payload: &[u8]) -> Result<Hash, PayloadError> {
    let value = restore(payload, &context(2))?;
    Ok(value.get::<Hash>().unwrap().clone())
}

fn sorted(hash: &Hash) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = hash
        .iter()
        .map(|it| (it.name().to_vec(), it.value().to_vec()));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

fn deadlines(hash: &Hash) -> Vec<(String, u64)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let deadlines = hash.deadlines();
    deadlines.map(|(field, at)| (text(field), at)).collect()
}

/// What Redis 8.6.3 dumps after `HSET t a 1 b 2`, `HEXPIREAT t 4000000000 FIELDS 1 a`, and
/// `HPEXPIREAT t 4000000000777 FIELDS 1 b`; with a setting that makes it a hash table, there is a
/// field `c` without a deadline too.
#[test]
fn deadlines_of_fields_are_those_of_redis() {
    let one = b"\x19\x00@\x94R\xa3\x03\x00\x00\x1d\x1d\x00\x00\x00\x06\x00\x81a\x02\x01\x01\xf4\x00@\x94R\xa3\x03\x00\x00\t\x81b\x02\x02\x01\x00\x01\xff\r\x00\x17\xb7\xea3\x9d\x1db\xce";
    let both = b"\x19\x00@\x94R\xa3\x03\x00\x00%%\x00\x00\x00\x06\x00\x81a\x02\x01\x01\xf4\x00@\x94R\xa3\x03\x00\x00\t\x81b\x02\x02\x01\xf4\tC\x94R\xa3\x03\x00\x00\t\xff\r\x00\xfa\x15aI_\xe4=\x93";
    let table = b"\x18\x00@\x94R\xa3\x03\x00\x00\x03\x00\x01c\xc0\x03C\n\x01b\xc0\x02\x01\x01a\xc0\x01\r\x00\x9a\xf6\"\xb0\n\xcd\xf2*";
    let (a, b) = (
        ("a".to_owned(), 4_000_000_000_000),
        ("b".to_owned(), 4_000_000_000_777),
    );
    let hash = restored(one).unwrap();
    assert_eq!(deadlines(&hash), std::slice::from_ref(&a));
    assert_eq!(dump(&Value::from(hash)), one);
    let hash = restored(both).unwrap();
    assert_eq!(deadlines(&hash), [a.clone(), b.clone()]);
    assert_eq!(dump(&Value::from(hash.clone())), both);
    assert_eq!(Value::from(hash).encoding(1), "listpackex");
    let hash = restored(table).unwrap();
    assert_eq!(deadlines(&hash), [a, b]);
    assert_eq!(hash.len(), 3);
    assert_eq!(Value::from(hash).encoding(1), "listpackex");
}

/// The answers are those of Redis 8.6.3 to the same payloads. (A negative deadline kills it.)
#[test]
fn deadlines_of_all_forms_are_read_and_wrong_ones_refused() {
    let at = 1_795_808_057_493_u64;
    let row = |parts: &[&str], deadlines: &[i64]| {
        let mut row = Writer::default();
        row.begin();
        for (pair, at) in parts.chunks(2).zip(deadlines) {
            pair.iter().for_each(|part| row.bytes(part.as_bytes()));
            row.integer(*at);
        }
        let row = row.finish();
        [&[row.len() as u8], row].concat()
    };
    let number = |number: u64| [b"\x81", number.to_be_bytes().as_slice()].concat();
    let first = |code: u8, first: u64| [&[code], first.to_le_bytes().as_slice()].concat();
    let until = at.cast_signed();
    let good: [Vec<u8>; 6] = [
        [
            b"\x16\x02",
            number(at).as_slice(),
            b"\x01a\x011\x00\x01b\x012",
        ]
        .concat(),
        [b"\x17".as_slice(), &row(&["a", "1", "b", "2"], &[until, 0])].concat(),
        [
            first(24, at).as_slice(),
            b"\x02\x01\x01a\x011\x00\x01b\x012",
        ]
        .concat(),
        [
            first(25, at).as_slice(),
            &row(&["a", "1", "b", "2"], &[until, 0]),
        ]
        .concat(),
        // The first deadline may be anything, and so may the order.
        [
            first(25, 0).as_slice(),
            &row(&["a", "1", "b", "2"], &[until, 0]),
        ]
        .concat(),
        [
            first(25, at).as_slice(),
            &row(&["b", "2", "a", "1"], &[0, until]),
        ]
        .concat(),
    ];
    for content in good {
        let hash = restored(&sign(content.clone())).unwrap();
        let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        assert_eq!(
            pairs_of(&hash),
            [pair("a", "1"), pair("b", "2")],
            "{content:?}"
        );
        assert_eq!(deadlines(&hash), [("a".to_owned(), at)], "{content:?}");
    }
    let bad: [Vec<u8>; 7] = [
        [
            first(25, 0).as_slice(),
            &row(&["b", "2", "a", "1"], &[0, -5]),
        ]
        .concat(),
        [
            first(25, 0).as_slice(),
            &row(&["b", "2", "a", "1"], &[0, 1 << 47]),
        ]
        .concat(),
        [
            first(25, 0).as_slice(),
            &row(&["b", "2", "b", "1"], &[0, 0]),
        ]
        .concat(),
        [
            first(25, 0).as_slice(),
            &row(&["b", "2", "a", "1"], &[0])[..8],
        ]
        .concat(),
        [
            first(24, 1 << 50).as_slice(),
            b"\x02\x01\x01a\x011\x00\x01b\x012",
        ]
        .concat(),
        [first(24, u64::MAX).as_slice(), b"\x01\x05\x01a\x011"].concat(),
        [
            first(24, at).as_slice(),
            b"\x02\x01\x01a\x011\x00\x01a\x012",
        ]
        .concat(),
    ];
    for content in bad {
        let error = restored(&sign(content.clone())).unwrap_err();
        assert!(matches!(error, PayloadError::Format(_)), "{content:?}");
    }
}

/// What Redis 8.6.3 dumps.
#[test]
fn payloads_are_those_of_redis() {
    let small = hash_of([(b"f".as_slice(), b"v".as_slice()), (b"g", b"2")]);
    let payload = b"\x10\x12\x12\0\0\0\x04\0\x81f\x02\x81v\x02\x81g\x02\x02\x01\xff\x0d\0\xa3\x0f\xc7\xfc\xc6a\x92\x83";
    assert_eq!(dump(&Value::from(small.clone())), payload);
    let back = restored(payload).unwrap();
    assert_eq!(sorted(&back), sorted(&small));
    assert!(back.is_listpack());
    let large = hash_of([(b"f".as_slice(), [b'x'; 65].as_slice()), (b"g", b"2")]);
    let back = restored(&dump(&Value::from(large.clone()))).unwrap();
    assert_eq!(sorted(&back), sorted(&large));
    assert!(!back.is_listpack());
}

#[test]
fn a_hash_that_redis_would_not_make_is_refused() {
    let contents: [&[u8]; 5] = [
        // No fields.
        b"\x04\0",
        b"\x10\x07\x07\0\0\0\0\0\xff",
        // A field without its value.
        b"\x10\x0a\x0a\0\0\0\x01\0\x81f\x02\xff",
        // A field twice.
        b"\x04\x02\x01f\x01v\x01f\x01w",
        b"\x10\x0f\x0f\0\0\0\x04\0\x01\x01\x02\x01\x01\x01\x03\x01\xff",
    ];
    for content in contents {
        let error = restored(&sign(content.to_vec())).unwrap_err();
        assert!(
            matches!(error, PayloadError::Format(_)),
            "{content:?}: {error:?}"
        );
    }
}

fn pairs_of(hash: &Hash) -> Vec<(String, String)> {
    let pairs = sorted(hash).into_iter();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    pairs
        .map(|(field, value)| (text(field), text(value)))
        .collect()
}

/// The answers are those of Redis 8.6.3 to the same payloads.
#[test]
fn forms_that_redis_wrote_before_7_0_are_read() {
    let blob = |code: u8, row: &[u8]| {
        let mut content = vec![code, row.len() as u8];
        content.extend_from_slice(row);
        sign(content)
    };
    let expected = [("12", "-7"), ("f", "v"), ("n", "300")];
    let expected = expected.map(|(field, value)| (field.to_owned(), value.to_owned()));
    let row = crate::ziplist::tests::ziplist(&["f", "v", "n", "300", "12", "-7"]);
    let zipmap = b"\x03\x01f\x01\x00v\x01n\x03\x02300xx\x0212\x02\x00-7\xff";
    for payload in [blob(13, &row), blob(9, zipmap)] {
        let hash = restored(&payload).unwrap();
        assert_eq!(pairs_of(&hash), expected);
        assert!(hash.is_listpack());
    }
    // The number of fields does not have to be told.
    let hash = restored(&blob(9, b"\xfe\x01f\x01\x00v\xff")).unwrap();
    assert_eq!(pairs_of(&hash), [("f".to_owned(), "v".to_owned())]);
    for bad in [
        b"\x02\x01f\x01\x00v\xff".as_slice(),
        b"\x02\x01f\x01\x00v\x01f\x01\x00v\xff",
        b"\x01\x01f\xff",
        b"\x01\x01f\x01\x02v\xff",
        b"\x01\xff\x01\x00v\xff",
        b"\x01\x01n\xfe\x03\0\0\0\x00300\xff",
        b"\x00\xff",
        b"\xff",
        b"",
    ] {
        let error = restored(&blob(9, bad)).unwrap_err();
        assert!(matches!(error, PayloadError::Format(_)), "{bad:?}");
    }
    let twice = crate::ziplist::tests::ziplist(&["f", "v", "f", "v"]);
    let odd = crate::ziplist::tests::ziplist(&["f"]);
    for bad in [twice, odd] {
        let error = restored(&blob(13, &bad)).unwrap_err();
        assert!(matches!(error, PayloadError::Format(_)));
    }
}

#[test]
fn thresholds_decide_on_the_form_when_it_is_read() {
    let hash = hash_of([(b"f".as_slice(), b"long".as_slice()), (b"g", b"2")]);
    let payload = dump(&Value::from(hash));
    let is_listpack = |entries: usize, value: usize| {
        let thresholds = Thresholds {
            hash_max_listpack_entries: entries,
            hash_max_listpack_value: value,
            ..Thresholds::DEFAULT
        };
        let context = Context {
            thresholds,
            ..context(2)
        };
        let value = restore(&payload, &context).unwrap();
        value.get::<Hash>().unwrap().is_listpack()
    };
    assert!(is_listpack(2, 4));
    assert!(!is_listpack(1, 4) && !is_listpack(2, 3) && !is_listpack(0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_and_digests_agree(
        pairs in prop::collection::btree_map(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..20),
                any::<i64>().prop_map(|number| number.to_string().into_bytes()),
            ],
            prop_oneof![
                6 => prop::collection::vec(any::<u8>(), 0..60),
                1 => prop::collection::vec(any::<u8>(), 60..2000),
            ],
            1..700,
        ),
        until in prop::collection::vec((any::<prop::sample::Index>(), 1..=FIELD_DEADLINE_MS_MAX), 0..20),
    ) {
        let refs = || pairs.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
        let hasher = NameHasher::new([1, 0]);
        let names: Vec<_> = pairs.keys().collect();
        let dated = |mut hash: Hash| {
            for (field, at) in &until {
                hash.set_deadline(names[field.index(names.len())], Some(*at), hasher);
            }
            hash
        };
        let hash = dated(hash_of(refs()));
        let back = restored(&dump(&Value::from(hash.clone()))).unwrap();
        prop_assert_eq!(sorted(&back), sorted(&hash));
        prop_assert!(back.deadlines().eq(hash.deadlines()));
        prop_assert_eq!(back.is_listpack(), hash.is_listpack());
        let digest = |hash: Hash| Digest::of_value(&Value::from(hash), None, 0);
        prop_assert_eq!(digest(dated(hash_of(refs().rev()))), digest(hash.clone()));
        prop_assert_eq!(digest(back), digest(hash.clone()));
        // Neither does it matter what the hash once was.
        let set = |hash: &mut Hash, value: &[u8]| {
            hash.set(b"long", value, NameHasher::new([1, 0]), &Thresholds::DEFAULT)
        };
        let mut once_long = hash.clone();
        set(&mut once_long, &[b'x'; 100]);
        set(&mut once_long, b"");
        let mut other = hash;
        set(&mut other, b"");
        prop_assert_eq!(digest(once_long), digest(other.clone()));
        set(&mut other, b"x");
        prop_assert_ne!(digest(other), digest(dated(hash_of(refs()))));
    }
}
