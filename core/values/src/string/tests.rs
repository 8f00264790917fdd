use proptest::prelude::*;

use super::*;

fn encoding(bytes: &[u8]) -> &'static str {
    StringValue::from_bytes(bytes).encoding(1).name()
}

#[test]
fn encodings_are_those_that_clients_know() {
    assert_eq!(encoding(b"123"), "int");
    assert_eq!(encoding(b"-9223372036854775808"), "int");
    assert_eq!(encoding(b"0123"), "embstr");
    assert_eq!(encoding(&[b'x'; 40]), "embstr");
    assert_eq!(encoding(&[b'x'; 41]), "raw");
    assert_eq!(StringValue::from_text(b"10").encoding(1), Encoding::Embstr);
    assert_eq!(
        StringValue::from_buffer(b"10".to_vec()).encoding(1),
        Encoding::Raw
    );
}

#[test]
fn an_appended_string_is_raw_and_still_a_number_if_it_reads_as_one() {
    let mut string = StringValue::from_bytes(b"1");
    string.append(b"0");
    assert_eq!(string.encoding(1), Encoding::Raw);
    assert_eq!(string.as_integer(), Some(10));
    string.set_integer(11);
    assert_eq!(string.encoding(1), Encoding::Int);
    assert_eq!(string.to_vec(), b"11");
}

#[test]
fn short_strings_and_numbers_need_no_heap() {
    assert_eq!(StringValue::from_bytes(&[b'x'; 14]).heap_bytes(), 0);
    assert_eq!(
        StringValue::from_bytes(b"12345678901234567").heap_bytes(),
        0
    );
    assert_eq!(StringValue::from_bytes(&[b'x'; 15]).heap_bytes(), 16);
}

#[test]
fn a_frozen_view_keeps_its_bytes_when_the_string_changes() {
    let mut string = StringValue::from_bytes(&[b'x'; 100]);
    string.append(b"y");
    let frozen = string.clone();
    string.set_range(0, b"z");
    assert_eq!(frozen.to_vec()[0], b'x');
    assert_eq!(string.to_vec()[0], b'z');
    assert_eq!(string.len(), 101);
}

#[test]
fn an_unshared_string_changes_in_place() {
    let mut string = StringValue::from_bytes(&[b'x'; 100]);
    string.append(&[b'y'; 50]);
    let before = string.edit().as_ptr();
    string.set_range(3, b"z");
    assert_eq!(string.edit().as_ptr(), before);
}

#[test]
fn a_short_string_that_is_overwritten_takes_what_its_bytes_take() {
    let mut string = StringValue::from_bytes(&[b'x'; 36]);
    assert_eq!(string.encoding(1), Encoding::Embstr);
    string.set_range(3, b"z");
    assert_eq!(
        (string.heap_bytes(), string.encoding(1)),
        (48, Encoding::Raw)
    );
    let frozen = string.clone();
    string.set_range(40, b"end");
    assert_eq!((string.len(), string.heap_bytes()), (43, 48));
    string.set_range(126, b"at");
    assert_eq!((string.len(), string.heap_bytes()), (128, 128));
    string.set_range(128, b"more");
    assert_eq!(string.to_vec()[126..], *b"atmore");
    assert_eq!(frozen.to_vec(), [&b"xxxz"[..], &[b'x'; 32]].concat());
}

#[test]
fn bytes_that_are_put_in_the_place_of_all_others_take_what_they_take() {
    let mut string = StringValue::from_bytes(b"");
    for len in [35, 35, 36, 60, 20, 200, 201, 30] {
        let (bytes, frozen) = (vec![len; usize::from(len)], string.clone());
        let before = frozen.to_vec();
        string.put(&bytes);
        assert_eq!((string.to_vec(), frozen.to_vec()), (bytes, before));
        assert_eq!(string.encoding(1), Encoding::Raw);
        if len < 100 && !matches!(string.0, Repr::Growing(_)) {
            assert_eq!(string.heap_bytes(), usize::from(len).next_multiple_of(16));
        }
    }
    assert!(matches!(string.0, Repr::Growing(_)), "it has been long");
}

#[test]
fn set_range_fills_the_gap_with_zeros() {
    let mut string = StringValue::from_bytes(b"ab");
    string.set_range(4, b"c");
    assert_eq!(string.to_vec(), b"ab\0\0c");
    string.set_range(100, b"");
    assert_eq!(string.len(), 5);
}

#[test]
fn ranges_count_from_either_end() {
    let string = StringValue::from_bytes(b"This is a string");
    let range = |start, end| string.to_vec()[string.range(start, end)].to_vec();
    assert_eq!(range(0, 3), b"This");
    assert_eq!(range(-3, -1), b"ing");
    assert_eq!(range(0, -1), b"This is a string");
    assert_eq!(range(10, 100), b"string");
    assert_eq!(range(-100, 1), b"Th");
    assert_eq!(range(5, 4), b"");
    assert_eq!(range(-1, -2), b"");
    assert_eq!(range(-100, -101), b"");
    assert_eq!(range(-101, -100), b"T");
    assert_eq!(range(i64::MIN, i64::MAX), b"This is a string");
    assert_eq!(range(16, 20), b"");
    assert_eq!(StringValue::default().range(0, -1), 0..0);
}

#[derive(Debug, Clone)]
enum Change {
    Set(Vec<u8>),
    SetInteger(i64),
    Append(Vec<u8>),
    SetRange(usize, Vec<u8>),
    Truncate(usize),
    Freeze,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "-?[0-9]{1,20}".prop_map(String::into_bytes)
        ]
    };
    let change = prop_oneof![
        bytes().prop_map(Change::Set),
        any::<i64>().prop_map(Change::SetInteger),
        bytes().prop_map(Change::Append),
        (0_usize..80, bytes()).prop_map(|(offset, patch)| Change::SetRange(offset, patch)),
        (0_usize..80).prop_map(Change::Truncate),
        Just(Change::Freeze),
    ];
    prop::collection::vec(change, 0..20)
}

#[test]
fn a_string_with_a_large_gap_has_a_little_room_behind_it() {
    let end = 3 * LARGE_BYTES;
    for before in [&b""[..], b"12", b"some bytes that are on the heap"] {
        let mut string = StringValue::from_bytes(before);
        string.set_range(end - 1, b"x");
        let mut expected = before.to_vec();
        expected.resize(end - 1, 0);
        expected.push(b'x');
        assert!(string.to_vec() == expected);
        let overhead = allocated(size_of::<usize>() + size_of::<Vec<u8>>());
        assert_eq!(string.heap_bytes(), allocated(end + LARGE_BYTES) + overhead);
        string.append(b"yz");
        assert_eq!(string.heap_bytes(), allocated(end + LARGE_BYTES) + overhead);
    }
}

proptest! {
    #[test]
    fn a_string_behaves_as_a_vector_of_bytes(changes in changes()) {
        let mut string = StringValue::default();
        let mut model: Vec<u8> = Vec::new();
        let mut frozen = Vec::new();
        for change in changes {
            match change {
                Change::Set(bytes) => {
                    string = StringValue::from_bytes(&bytes);
                    model = bytes;
                }
                Change::SetInteger(value) => {
                    string.set_integer(value);
                    model = value.to_string().into_bytes();
                }
                Change::Append(tail) => {
                    string.append(&tail);
                    model.extend_from_slice(&tail);
                }
                Change::SetRange(offset, patch) => {
                    string.set_range(offset, &patch);
                    if !patch.is_empty() {
                        model.resize(model.len().max(offset + patch.len()), 0);
                        model[offset..offset + patch.len()].copy_from_slice(&patch);
                    }
                }
                Change::Truncate(len) => {
                    string.edit().truncate(len);
                    model.truncate(len);
                }
                Change::Freeze => frozen.push((string.clone(), model.clone())),
            }
            prop_assert_eq!(string.to_vec(), model.clone());
            prop_assert_eq!(string.len(), model.len());
            prop_assert_eq!(string.as_integer(), parse_integer(&model));
        }
        for (string, model) in frozen {
            prop_assert_eq!(string.to_vec(), model);
        }
    }
}

#[test]
fn a_large_string_that_grows_by_much_then_has_room_for_little() {
    let overhead = allocated(size_of::<usize>() + size_of::<Vec<u8>>());
    let large = vec![b'a'; 2 * LARGE_BYTES];
    for mut string in [
        StringValue::from_text(&large),
        StringValue::from_buffer(large.clone()),
        StringValue::from_shared(Arc::new(large.clone())),
    ] {
        string.append(&large);
        let room = 5 * LARGE_BYTES;
        assert_eq!(
            string.heap_bytes(),
            allocated(room) + overhead,
            "1 MiB and no more"
        );
        string.append(&large[..LARGE_BYTES]);
        assert_eq!(
            string.heap_bytes(),
            allocated(room) + overhead,
            "nothing was moved"
        );
        assert_eq!(string.len(), room);
        // What grows little by little gets an eighth of its length.
        let mut moves = 0;
        let before = string.len();
        for _ in 0..(4 * LARGE_BYTES / 1024) {
            let capacity = string.heap_bytes();
            string.append(&large[..1024]);
            moves += usize::from(string.heap_bytes() != capacity);
        }
        assert_eq!(string.len(), before + 4 * LARGE_BYTES);
        assert!(moves <= 5, "{moves}");
    }
}
