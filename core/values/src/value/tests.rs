use stream::{NodeLimits, Retention, StreamId};

use super::*;

fn stream() -> Value {
    let retention = Retention {
        duration_s: 100,
        maxsize: 10,
    };
    let mut stream = Stream::new(retention, 7);
    let (id, fields) = (StreamId::new(1000, 0), [b"f".as_slice(), b"v"]);
    stream
        .append(id, fields.into_iter(), NodeLimits::DEFAULT)
        .unwrap();
    stream.idempotence_mut().record(b"p", b"i", id, 1000);
    Value::from(stream)
}

fn string(bytes: &[u8]) -> Value {
    Value::from(StringValue::from_bytes(bytes))
}

#[test]
fn a_value_answers_what_its_type_says() {
    let (stream, string) = (stream(), string(&[b'x'; 100]));
    assert_eq!(
        (stream.type_name(), stream.encoding(1)),
        ("stream", "stream")
    );
    assert_eq!((string.type_name(), string.encoding(1)), ("string", "raw"));
    let content: &Stream = stream.get().unwrap();
    assert_eq!(
        stream.heap_bytes(0),
        size_of::<Stream>() + content.heap_bytes(0)
    );
    assert_eq!(stream.weight(), content.weight());
    assert_eq!(string.heap_bytes(0), 112);
    assert_eq!(string.weight(), 112);
    assert_eq!(stream.next_deadline_ms(), Some(101_000));
    assert_eq!(string.next_deadline_ms(), None);
    stream.prefetch();
    string.prefetch();
}

#[test]
fn content_is_found_by_its_type_alone() {
    let (mut stream, mut string) = (stream(), string(b"12"));
    assert!(stream.get::<StringValue>().is_none() && stream.get_mut::<StringValue>().is_none());
    assert!(string.get::<Stream>().is_none() && string.get_mut::<Stream>().is_none());
    string.get_mut::<StringValue>().unwrap().append(b"3");
    assert_eq!(string.get::<StringValue>().unwrap().as_integer(), Some(123));
}

#[test]
fn a_change_leaves_a_frozen_view_as_it_was() {
    let mut value = stream();
    let frozen = value.clone();
    let (id, fields) = (StreamId::new(2000, 0), [b"f".as_slice(), b"w"]);
    let content = value.get_mut::<Stream>().unwrap();
    content
        .append(id, fields.into_iter(), NodeLimits::DEFAULT)
        .unwrap();
    assert_eq!(value.get::<Stream>().unwrap().len(), 2);
    assert_eq!(frozen.get::<Stream>().unwrap().len(), 1);
}

#[test]
fn a_hash_is_kept_as_redis_would_say() {
    let hasher = collections::hash::NameHasher::new([1, 2]);
    let thresholds = crate::Thresholds::DEFAULT;
    let mut hash = crate::Hash::new();
    assert!(
        hash.set(b"f", &[b'x'; 64], hasher, &thresholds)
            && !hash.set(b"f", b"7", hasher, &thresholds)
    );
    assert_eq!(Value::from(hash.clone()).encoding(1), "listpack");
    let mut long = hash.clone();
    long.set(b"f", &[b'x'; 65], hasher, &thresholds);
    long.set(b"f", b"short again", hasher, &thresholds);
    assert_eq!(Value::from(long).encoding(1), "hashtable");
    for number in 1..512 {
        hash.set(format!("{number}").as_bytes(), b"v", hasher, &thresholds);
    }
    assert_eq!(Value::from(hash.clone()).encoding(1), "listpack");
    hash.set(b"512", b"v", hasher, &thresholds);
    let value = Value::from(hash);
    assert_eq!(
        (value.type_name(), value.encoding(1)),
        ("hash", "hashtable")
    );
    let hash = value.get::<crate::Hash>().unwrap();
    assert_eq!(hash.len(), 513);
    assert_eq!(hash.get(b"f").and_then(|it| it.as_integer()), Some(7));
    assert!(hash.get(b"none").is_none());
}
