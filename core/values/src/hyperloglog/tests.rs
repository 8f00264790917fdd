use proptest::prelude::*;

use super::*;

/// The registers, each by itself: what both forms are compared with.
fn ranks(bytes: &[u8]) -> Vec<u8> {
    let mut registers = Registers::new();
    HyperLogLog::of(bytes)
        .and_then(|found| found.merge_into(&mut registers))
        .expect("it is whole");
    registers.ranks().collect()
}

fn dense() -> Vec<u8> {
    let mut bytes = empty();
    make_dense(&mut bytes).expect("it is whole");
    bytes
}

#[test]
fn an_element_raises_the_register_that_redis_raises() {
    // As PFDEBUG DECODE of Redis shows after PFADD of one element.
    assert_eq!(Register::of(b"x"), Register::new(16374, 2));
    assert_eq!(Register::of(b"1"), Register::new(7527, 1));
    assert_eq!(Register::of(b"a"), Register::new(12711, 2));
}

#[test]
fn what_pfselftest_tests_holds() {
    assert_eq!(self_test(), Ok(()));
}

#[test]
fn a_rank_that_the_sparse_form_cannot_hold_makes_it_dense() {
    let mut bytes = empty();
    assert_eq!(
        raise(&mut bytes, Register::new(5, 32), SparseBytesMax::NONE),
        Ok(true)
    );
    assert_eq!(
        HyperLogLog::of(&bytes).map(HyperLogLog::form),
        Ok(Form::Sparse)
    );
    assert_eq!(
        raise(&mut bytes, Register::new(5, 33), SparseBytesMax::NONE),
        Ok(true)
    );
    assert_eq!(
        HyperLogLog::of(&bytes).map(HyperLogLog::form),
        Ok(Form::Dense)
    );
    assert_eq!(ranks(&bytes)[5], 33);
}

#[test]
fn the_sparse_form_takes_at_most_what_is_allowed() {
    let mut bytes = empty();
    let full = bytes.len() + 2;
    // A register in the middle takes its own byte, and a second run of zeros.
    let limit = SparseBytesMax(full);
    assert_eq!(raise(&mut bytes, Register::new(0, 1), limit), Ok(true));
    assert_eq!(bytes.len(), full - 1);
    assert_eq!(raise(&mut bytes, Register::new(100, 1), limit), Ok(true));
    assert_eq!(bytes.len(), DENSE_BYTES);
}

#[test]
fn corrupted_bytes_stay_as_they_are() {
    for body in [
        &b""[..],
        b"\x7f",
        b"\x7f\xfe",
        b"\x7f\xff\x00",
        b"\x7f\xff\x80",
        b"\x40",
        b"\x83\x83",
    ] {
        let mut bytes = empty();
        bytes.truncate(HEADER_BYTES);
        bytes.extend_from_slice(body);
        let before = bytes.clone();
        let found = HyperLogLog::of(&bytes).expect("it begins like one");
        assert_eq!(found.estimate(), Err(Fault::Corrupted), "{body:?}");
        let mut registers = Registers::new();
        assert_eq!(found.merge_into(&mut registers), Err(Fault::Corrupted));
        assert_eq!(make_dense(&mut bytes), Err(Fault::Corrupted));
        // Only what comes before a register is looked at to raise it.
        let last = Register::new(16383, 1);
        let raised = raise(&mut bytes, last, SparseBytesMax::NONE);
        assert_eq!(
            raised.is_ok(),
            body.len() > 2 && body[0] == 0x7f,
            "{body:?}"
        );
        if raised.is_err() {
            assert_eq!(bytes, before);
        }
    }
}

fn registers() -> impl Strategy<Value = Vec<Register>> {
    // Few neighbours and few ranks, so that runs meet.
    let index = prop_oneof![0..40_u16, 0..16384_u16, 16370..16384_u16];
    let rank = prop_oneof![1..4_u8, 1..=32_u8];
    prop::collection::vec((index, rank).prop_map(|(i, r)| Register::new(i, r)), 0..200)
}

proptest! {
    // Each looks at all registers many times.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_forms_keep_the_highest_ranks(registers in registers()) {
        let (mut sparse, mut dense) = (empty(), dense());
        let mut model = vec![0; REGISTERS];
        for register in registers {
            let raises = register.rank() > model[register.index()];
            let found = HyperLogLog::of(&sparse).and_then(|found| found.has(register));
            prop_assert_eq!(found, Ok(!raises));
            let raised = raise(&mut sparse, register, SparseBytesMax::NONE);
            prop_assert_eq!(raised, Ok(raises));
            prop_assert_eq!(raise(&mut dense, register, SparseBytesMax::NONE), Ok(raises));
            model[register.index()] = register.rank().max(model[register.index()]);
        }
        prop_assert_eq!(HyperLogLog::of(&sparse).map(HyperLogLog::form), Ok(Form::Sparse));
        prop_assert_eq!(&ranks(&sparse), &model);
        prop_assert_eq!(&ranks(&dense), &model);
        let estimate = |bytes: &[u8]| HyperLogLog::of(bytes).and_then(HyperLogLog::estimate);
        prop_assert_eq!(estimate(&sparse), estimate(&dense));
        let mut together = Registers::new();
        for bytes in [&sparse, &dense] {
            let merged = HyperLogLog::of(bytes).and_then(|found| found.merge_into(&mut together));
            prop_assert_eq!(merged, Ok(()));
        }
        prop_assert_eq!(Ok(together.estimate()), estimate(&dense));
        // A merge into an empty one of either form gives the same registers again.
        for mut to in [empty(), super::tests::dense()] {
            prop_assert_eq!(raise_all(&mut to, &together, SparseBytesMax(1000)), Ok(()));
            prop_assert_eq!(&ranks(&to), &model);
        }
        prop_assert_eq!(make_dense(&mut sparse), Ok(()));
        prop_assert_eq!(sparse, dense);
    }

    #[test]
    fn any_bytes_are_looked_at_and_changed_without_harm(
        body in prop::collection::vec(any::<u8>(), 0..60),
        registers in registers(),
    ) {
        let mut bytes = empty();
        bytes.truncate(HEADER_BYTES);
        bytes.extend_from_slice(&body);
        for register in registers.into_iter().take(20) {
            let before = bytes.clone();
            if raise(&mut bytes, register, SparseBytesMax(200)).is_err() {
                prop_assert_eq!(&bytes, &before);
            }
            if let Ok(found) = HyperLogLog::of(&bytes) {
                prop_assert!(found.runs().count() <= bytes.len());
                let _ = (found.estimate(), found.merge_into(&mut Registers::new()));
            }
        }
    }
}
