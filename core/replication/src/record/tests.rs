use proptest::prelude::*;

use super::*;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Epoch),
        Just(Kind::Beat),
        any::<u64>().prop_map(|to| Kind::HandOver { to: NodeId(to) }),
        (1..=PARTS_MAX, any::<u32>(), 1..=100u64).prop_map(|(parts, part, first)| Kind::Batch {
            first: Lsn::new(first),
            part: part % parts,
            parts,
        }),
    ]
}

prop_compose! {
    fn encoded()(
        kind in kind(),
        number in 1..=u64::MAX,
        nonce in any::<u64>(),
        last in 100..=Lsn::MAX.number(),
        prev in any::<[u8; 32]>(),
        acked in any::<u64>().prop_map(Seq),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) -> Vec<u8> {
        let body = if kind == Kind::Beat { &[][..] } else { &body };
        let prev = Chain::from_bytes(prev);
        let (epoch, last) = (Epoch { number, nonce }, Lsn::new(last));
        Record { kind, epoch, last, prev, acked, body }.encode()
    }
}

proptest! {
    #[test]
    fn a_record_comes_back_as_it_was(bytes in encoded()) {
        let record = Record::decode(&bytes).unwrap();
        prop_assert_eq!(record.encode(), bytes.clone());
    }

    #[test]
    fn a_record_that_was_changed_anywhere_is_refused(
        bytes in encoded(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        end in any::<prop::sample::Index>(),
    ) {
        let mut flipped = bytes.clone();
        flipped[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(Record::decode(&flipped).is_err());
        prop_assert!(Record::decode(&bytes[..end.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_a_record_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::decode(&bytes);
        // With a magic, a length and a checksum that are right, to get further.
        if bytes.len() >= HEADER_BYTES {
            let body = u32::try_from(bytes.len() - HEADER_BYTES).unwrap();
            bytes[..5].copy_from_slice(b"WEIR\x01");
            bytes[5] %= 6;
            bytes[6..8].fill(0);
            bytes[88..92].copy_from_slice(&body.to_le_bytes());
            let crc = checksum(&bytes).to_le_bytes();
            bytes[92..96].copy_from_slice(&crc);
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(record.encode(), bytes);
            }
        }
    }
}

#[test]
fn the_documented_example_decodes() {
    let text = include_str!("../record.md");
    let (_, example) = text.split_once("```text\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let digits: String = example.split_whitespace().collect();
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    let record = Record {
        kind: Kind::Epoch,
        epoch: Epoch {
            number: 1,
            nonce: 7,
        },
        last: Lsn::ZERO,
        prev: Chain::START,
        acked: Seq::ZERO,
        body: b"a",
    };
    assert_eq!(Record::decode(&bytes), Ok(record));
}

#[test]
fn fields_hold_at_their_bounds_and_not_one_above() {
    let record = |kind, last, body: usize| {
        let body = vec![b'x'; body];
        let record = Record {
            kind,
            epoch: Epoch {
                number: 1,
                nonce: 0,
            },
            last: Lsn::new(last),
            prev: Chain::START,
            acked: Seq::ZERO,
            body: &body,
        };
        Record::decode(&record.encode()).map(|_| ())
    };
    let part = |part, parts| Kind::Batch {
        first: Lsn::new(1),
        part,
        parts,
    };
    let max = Lsn::MAX.number();
    let field = |offset| Err(DecodeError::Field { offset });
    assert_eq!(record(part(0, 1), max, 1), Ok(()));
    assert_eq!(record(part(0, 1), max + 1, 1), field(40));
    assert_eq!(record(part(0, 1), 0, 1), field(32));
    assert_eq!(record(part(PARTS_MAX - 1, PARTS_MAX), 1, 1), Ok(()));
    assert_eq!(record(part(0, PARTS_MAX + 1), 1, 1), field(8));
    assert_eq!(record(part(2, 2), 1, 1), field(8));
    assert_eq!(record(Kind::Epoch, 1, GREETING_BYTES_MAX), Ok(()));
    assert_eq!(record(Kind::Epoch, 1, GREETING_BYTES_MAX + 1), field(88));
    assert_eq!(record(Kind::Beat, 1, 1), field(88));
    assert_eq!(record(part(0, 1), 1, BODY_BYTES_MAX), Ok(()));
    assert_eq!(record(part(0, 1), 1, BODY_BYTES_MAX + 1), field(88));
}
