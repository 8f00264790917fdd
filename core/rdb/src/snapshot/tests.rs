use std::convert::Infallible;

use proptest::prelude::*;
use values::{Key, StringValue, Value};

use super::*;
use crate::{Compression, Context, Fault, ReadError, Source};

fn context() -> Context {
    Context {
        now_ms: 1_700_000_000_000,
        hash_seed: 7,
        retention: stream::Retention {
            duration_s: 100,
            maxsize: 100,
        },
        thresholds: values::Thresholds::DEFAULT,
        packing: crate::Packing::BeyondBytes(0),
    }
}

fn read_all(bytes: &[u8]) -> Result<Vec<Item>, ReadError<Infallible>> {
    let mut reader = SnapshotReader::new(bytes, context())?;
    let mut items = Vec::new();
    while let Some(item) = reader.next()? {
        items.push(item);
    }
    assert_eq!(
        reader.into_source(),
        b"",
        "all bytes belong to the snapshot"
    );
    Ok(items)
}

fn string(bytes: &[u8]) -> Value {
    StringValue::from_bytes(bytes).into()
}

/// Items as text, to compare them by.
fn texts(items: &[Item]) -> Vec<String> {
    items.iter().map(text).collect()
}

fn text(item: &Item) -> String {
    format!("{item:?}")
}

fn record(key: &[u8], value: Value) -> Record {
    Record {
        key: Key::from(key),
        value,
        expires_at_ms: None,
        usage: Usage::Unknown,
    }
}

fn write(records: &[Record], compression: Compression) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(Vec::new(), compression).unwrap();
    writer.auxiliary(b"redis-ver", b"8.6.3").unwrap();
    writer.database(3, records.len() as u64, 0).unwrap();
    for record in records {
        writer
            .record(
                &record.key,
                &record.value,
                record.expires_at_ms,
                record.usage,
            )
            .unwrap();
    }
    let bytes = writer.finish().unwrap();
    assert_eq!(bytes.get(..9), Some(&b"REDIS0013"[..]));
    bytes
}

#[test]
fn a_file_of_redis_8_6_is_read() {
    let items = read_all(include_bytes!("../../fixtures/strings.rdb")).unwrap();
    let is_library =
        |item: &Item| matches!(item, Item::Function(source) if source.starts_with(b"#!lua"));
    assert!(items.iter().any(is_library));
    let records: Vec<&Record> = items
        .iter()
        .filter_map(|item| match item {
            Item::Record(record) => Some(record),
            _ => None,
        })
        .collect();
    let value_of = |key: &[u8]| {
        let record = records.iter().find(|record| *record.key == *key).unwrap();
        record.value.get::<StringValue>().unwrap().to_vec()
    };
    assert_eq!(value_of(b"int8"), b"-100");
    assert_eq!(value_of(b"int16"), b"-3000");
    assert_eq!(value_of(b"int32"), b"70000");
    assert_eq!(value_of(b"int64"), b"5000000000");
    assert_eq!(value_of(b"short"), b"hello");
    assert_eq!(value_of(b"long"), [b'a'; 1000]);
    assert_eq!(value_of(b"12345"), b"");
    let expiring = records
        .iter()
        .find(|record| *record.key == *b"expiring")
        .unwrap();
    assert_eq!(expiring.expires_at_ms, Some(4_000_000_000_123));
    assert_eq!(
        records
            .iter()
            .filter(|record| record.expires_at_ms.is_some())
            .count(),
        1
    );
    let is_library =
        |item: &Item| matches!(item, Item::Function(source) if source.starts_with(b"#!lua"));
    assert!(items.iter().any(is_library));
    let items = texts(&items);
    for item in [
        Item::Database(0),
        Item::Database(9),
        Item::Size {
            keys: 8,
            expiring: 1,
        },
        Item::Auxiliary {
            name: b"redis-ver".to_vec(),
            value: b"8.6.3".to_vec(),
        },
    ] {
        assert!(items.contains(&text(&item)), "{item:?} in {items:?}");
    }
}

const TYPES: &[u8] = include_bytes!("../../fixtures/types.rdb");

/// Keys that were skipped, with their types.
fn unknown(items: &[Item]) -> Vec<String> {
    let unknown = items.iter().filter_map(|item| match item {
        Item::Unknown { key, type_name } => Some(format!("{}: {type_name}", key.escape_ascii())),
        _ => None,
    });
    let mut unknown: Vec<String> = unknown.collect();
    unknown.sort();
    unknown
}

#[test]
fn types_that_are_not_read_are_passed_over_and_named() {
    let items = read_all(TYPES).unwrap();
    assert_eq!(unknown(&items), ["vectors: value of module vectorset"]);
    let kept = items.iter().filter_map(|item| match item {
        Item::Record(record) => Some((&*record.key, record.expires_at_ms)),
        _ => None,
    });
    // What was said about a key that is skipped is not taken for the next.
    let mut kept: Vec<(&[u8], Option<i64>)> = kept.collect();
    kept.sort();
    let expected: [(&[u8], Option<i64>); 16] = [
        (b"hash", Some(4_000_000_000_000)),
        (b"hash-expiring", None),
        (b"hash-listpack", None),
        (b"hash-listpack-expiring", None),
        (b"hyperloglog", None),
        (b"list", None),
        (b"list-3", None),
        (b"list-of-long-strings", None),
        (b"set", None),
        (b"set-listpack", None),
        (b"set-of-integers", None),
        (b"sorted-set", None),
        (b"sorted-set-listpack", None),
        (b"stream", None),
        (b"string", None),
        (b"string-3", None),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn a_type_whose_end_is_not_known_is_refused_by_name_and_key() {
    for (code, name) in [(6, "module value"), (28, "array"), (100, "unknown")] {
        let mut bytes = b"REDIS0013".to_vec();
        bytes.extend([code]);
        bytes.extend(b"\x03key\x00");
        assert_eq!(
            read_all(&bytes).unwrap_err().to_string(),
            format!("offset 14: type {code} ({name}) of key \"key\" is not supported")
        );
    }
}

#[test]
fn a_number_of_elements_alone_makes_no_work() {
    for code in [1, 2, 3, 4, 5, 14, 18, 22, 24] {
        let mut bytes = b"REDIS0013".to_vec();
        bytes.extend([code]);
        bytes.extend(b"\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff");
        assert!(read_all(&bytes).is_err());
    }
}

#[test]
fn records_that_mean_nothing_to_weir_are_passed_over_and_modules_named() {
    let mut bytes = b"REDIS0013".to_vec();
    bytes.extend(b"\xf4\x01\x02\x03");
    bytes.extend(b"\xf7\x81\0\0\0\0\0\0\0\x09\x02\x01\x01\x05\x03abcd\x04abcdefgh\x05\x03abc\x00");
    bytes.extend(b"\xfd\x01\x00\x00\x00\xf9\x07\x00\x01k\x01v");
    bytes.extend(b"\xff\0\0\0\0\0\0\0\0");
    let items = read_all(&bytes).unwrap();
    // The third value is of kind 5, a string of three bytes.
    let expected = Record {
        expires_at_ms: Some(1000),
        usage: Usage::Frequency(7),
        ..record(b"k", string(b"v"))
    };
    let module = "AAAAAAAAA".to_owned();
    let expected = [Item::ModuleData { module }, Item::Record(expected)];
    assert_eq!(texts(&items), texts(&expected));
}

#[test]
fn a_wrong_checksum_is_told() {
    let mut bytes = write(&[record(b"k", string(b"v"))], Compression::Lzf);
    *bytes.last_mut().unwrap() ^= 1;
    let Err(ReadError::Format(error)) = read_all(&bytes) else {
        panic!("a wrong checksum was not seen")
    };
    assert!(matches!(error.fault, Fault::Checksum { .. }));
}

#[test]
fn foreign_heads_and_later_versions_are_refused() {
    assert!(read_all(b"VALKEY080").is_err());
    assert!(read_all(b"REDIS").is_err());
    assert!(read_all(b"REDIS00x3").is_err());
    assert!(read_all(b"REDIS0016\xff\0\0\0\0\0\0\0\0").is_err());
    assert!(read_all(b"REDIS0015\xff\0\0\0\0\0\0\0\0").is_ok());
}

#[test]
fn reading_ends_where_the_snapshot_ends() {
    let mut bytes = write(&[record(b"k", string(b"v"))], Compression::Lzf);
    bytes.extend(b"*1\r\n");
    let mut reader = SnapshotReader::new(bytes.as_slice(), context()).unwrap();
    while reader.next().unwrap().is_some() {}
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.into_source(), b"*1\r\n");
}

#[test]
fn a_source_that_fails_is_told_with_the_offset() {
    #[derive(Debug, PartialEq)]
    struct Torn;
    #[derive(Debug)]
    struct Tearing(&'static [u8]);
    impl Source for Tearing {
        type Error = Torn;
        fn fill(&mut self) -> Result<&[u8], Torn> {
            if self.0.is_empty() {
                Err(Torn)
            } else {
                Ok(self.0)
            }
        }
        fn consume(&mut self, len: usize) {
            self.0 = &self.0[len..];
        }
    }
    let error = SnapshotReader::new(Tearing(b"REDIS00"), context()).unwrap_err();
    assert_eq!(
        error,
        ReadError::Source {
            offset: 7,
            source: Torn
        }
    );
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let bytes = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::collection::vec(0_u8..3, 0..600),
            any::<i32>().prop_map(|value| value.to_string().into_bytes()),
        ]
    };
    let usage = prop_oneof![
        Just(Usage::Unknown),
        any::<u64>().prop_map(Usage::IdleSeconds),
        any::<u8>().prop_map(Usage::Frequency),
    ];
    let record = (bytes(), bytes(), any::<Option<i64>>(), usage).prop_map(
        |(key, value, expires_at_ms, usage)| Record {
            key: Key::from(key.as_slice()),
            value: string(&value),
            expires_at_ms,
            usage,
        },
    );
    prop::collection::vec(record, 0..8)
}

proptest! {
    #[test]
    fn records_are_read_back(
        records in records(),
        compression in prop::sample::select(vec![Compression::Lzf, Compression::Off]),
    ) {
        let bytes = write(&records, compression);
        let read: Vec<Item> = read_all(&bytes)
            .unwrap()
            .into_iter()
            .filter(|item| matches!(item, Item::Record(_)))
            .collect();
        let records: Vec<Item> = records.into_iter().map(Item::Record).collect();
        prop_assert_eq!(texts(&read), texts(&records));
    }

    #[test]
    fn a_damaged_snapshot_is_refused(
        records in records(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut bytes = write(&records, Compression::Lzf);
        let at = at.index(bytes.len());
        prop_assert!(read_all(&bytes[..at]).is_err());
        bytes[at] ^= flip;
        let version = read_all(&bytes[..9]).is_err();
        prop_assert!(version, "a head alone is no snapshot");
        prop_assert!(read_all(&bytes).is_err());
    }

    #[test]
    fn damaged_values_of_other_types_are_read_or_refused(
        at in 9..TYPES.len(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = TYPES.to_vec();
        bytes[at] = byte;
        if cut {
            bytes.truncate(at + 1);
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn arbitrary_bodies_of_other_types_are_read_or_refused(
        code in 0_u8..30,
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut bytes = b"REDIS0013".to_vec();
        bytes.extend([code, 1, b'k']);
        bytes.extend(body);
        let _ = read_all(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = b"REDIS0013".to_vec();
        bytes.extend(tail);
        let mut reader = SnapshotReader::new(bytes.as_slice(), context()).unwrap();
        while let Ok(Some(_)) = reader.next() {}
    }
}
