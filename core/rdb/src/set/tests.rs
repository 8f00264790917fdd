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

fn set_of<'a>(members: impl IntoIterator<Item = &'a [u8]>) -> Set {
    let growth = Growth {
        hasher: NameHasher::new([1, 0]),
        thresholds: &Thresholds::DEFAULT,
    };
    let mut set = Set::new();
    for member in members {
        set.add(member, growth);
    }
    set
}

fn restored(payload: &[u8]) -> Result<Set, PayloadError> {
    let value = restore(payload, &context(2))?;
    Ok(value.get::<Set>().unwrap().clone())
}

fn sorted(set: &Set) -> Vec<Vec<u8>> {
    let mut members: Vec<_> = set.iter().map(|it| it.to_vec()).collect();
    members.sort();
    members
}

/// What Redis 8.6.3 dumps.
#[test]
fn payloads_are_those_of_redis() {
    let rows: [(&[&str], SetForm, &[u8]); 4] = [
        (
            &["1", "2", "300"],
            SetForm::Intset,
            b"\x0b\x0e\x02\0\0\0\x03\0\0\0\x01\0\x02\0,\x01\x0d\0G\xb9;=| ^j",
        ),
        (
            &["70000", "1"],
            SetForm::Intset,
            b"\x0b\x10\x04\0\0\0\x02\0\0\0\x01\0\0\0p\x11\x01\0\x0d\0\x85\x9c\xca\xdd\xfa\xd3!\x04",
        ),
        (
            &["9999999999", "-1"],
            SetForm::Intset,
            b"\x0b\x18\x08\0\0\0\x02\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xe3\x0bT\x02\0\0\0\x0d\0.;SY%C\x15\xf0",
        ),
        (
            &["1", "a"],
            SetForm::Listpack,
            b"\x14\x0c\x0c\0\0\0\x02\0\x01\x01\x81a\x02\xff\x0d\0o90|\xb6\xb9\x92\xc7",
        ),
    ];
    for (members, form, payload) in rows {
        let set = set_of(members.iter().map(|it| it.as_bytes()));
        assert_eq!(set.form(), form);
        let dumped = dump(&Value::from(set.clone()));
        // Redis compresses less.
        assert_eq!(dumped == payload, payload.len() < 30);
        let back = restored(payload).unwrap();
        assert_eq!((sorted(&back), back.form()), (sorted(&set), form));
    }
    let large = set_of([[b'x'; 65].as_slice()]);
    let payload = b"\x02\x01\xc3\x09@A\x01xx\xe04\0\x01xx\x0d\0\xad\xad\xef6\xe1\xea\xd8E";
    let back = restored(payload).unwrap();
    assert_eq!(sorted(&back), sorted(&large));
    assert_eq!(back.form(), SetForm::Hashtable);
    // A listpack of integers alone stays one.
    let content = b"\x14\x09\x09\0\0\0\x01\0\x01\x01\xff";
    let back = restored(&sign(content.to_vec())).unwrap();
    assert_eq!(back.form(), SetForm::Listpack);
}

#[test]
fn a_set_that_redis_would_not_make_is_refused() {
    let contents: [&[u8]; 12] = [
        // No members.
        b"\x02\0",
        b"\x0b\x08\x02\0\0\0\0\0\0\0",
        b"\x14\x07\x07\0\0\0\0\0\xff",
        // A member twice.
        b"\x02\x02\x01a\x01a",
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
        b"\x14\x0b\x0b\0\0\0\x02\0\x01\x01\x01\x01\xff",
        // Integers in another order.
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
        // Integers of no size that there is, and another number of them.
        b"\x0b\x09\x01\0\0\0\x01\0\0\0\x01",
        b"\x0b\x0c\x02\0\0\0\x03\0\0\0\x01\0\x02\0",
        b"\x0b\x0c\x02\0\0\0\x01\0\0\0\x01\0\x02\0",
        b"\x0b\x0a\x08\0\0\0\xff\xff\xff\xff\x01\0",
        b"\x0b\x04\x02\0\0\0",
    ];
    for content in contents {
        let error = restored(&sign(content.to_vec())).unwrap_err();
        assert!(
            matches!(error, PayloadError::Format(_)),
            "{content:?}: {error:?}"
        );
    }
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(any::<u8>(), 60..2000),
        4 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

fn number() -> impl Strategy<Value = Vec<u8>> {
    (-400..400_i64).prop_map(|number| number.to_string().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_and_digests_agree(
        members in prop_oneof![
            prop::collection::btree_set(member(), 1..200),
            prop::collection::btree_set(number(), 1..700),
        ],
    ) {
        let refs = || members.iter().map(Vec::as_slice);
        let set = set_of(refs());
        let back = restored(&dump(&Value::from(set.clone()))).unwrap();
        prop_assert_eq!(sorted(&back), sorted(&set));
        prop_assert_eq!(back.form(), set.form());
        let digest = |set: Set| Digest::of_value(&Value::from(set), None, 0);
        prop_assert_eq!(digest(set_of(refs().rev())), digest(set.clone()));
        prop_assert_eq!(digest(back), digest(set.clone()));
        // Neither does it matter what the set once was.
        let words = ["no number".as_bytes(), [b'x'; 100].as_slice()];
        let mut once = set_of(refs().chain(words));
        for word in words {
            once.remove(word, &mut collections::map::Copied);
        }
        prop_assert_eq!(digest(once), digest(set.clone()));
        prop_assert_ne!(digest(set_of(refs().chain(words))), digest(set));
    }
}
