use proptest::prelude::*;
use values::StringValue;

use super::fixture::fixture;
use super::*;

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

fn restored(payload: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let restored = restore(payload, &context())?;
    Ok(restored.get::<StringValue>().unwrap().to_vec())
}

#[test]
fn strings_that_redis_dumped_are_restored_and_dumped_alike() {
    let strings: [(&str, Vec<u8>); 9] = [
        ("int8", b"-100".to_vec()),
        ("int16", b"-3000".to_vec()),
        ("int32", b"70000".to_vec()),
        ("int64", b"5000000000".to_vec()),
        ("text-of-no-integer", b"007".to_vec()),
        ("short", b"hello".to_vec()),
        ("binary", (0..=255).collect()),
        ("repetitive", vec![b'a'; 1000]),
        ("empty", Vec::new()),
    ];
    for (name, bytes) in strings {
        let payload = fixture(name);
        assert_eq!(restored(&payload).unwrap(), bytes, "{name}");
        if name != "repetitive" {
            let dumped = dump(&StringValue::from_bytes(&bytes).into());
            assert_eq!(dumped, payload, "{name}");
        }
    }
}

#[test]
fn a_checksum_of_zero_says_that_none_was_made() {
    let payload = dump(&StringValue::from_bytes(b"hello").into());
    let unsummed = |content: &[u8]| [content, &[0; 8]].concat();
    let (content, _) = payload.split_last_chunk::<8>().unwrap();
    assert_eq!(restored(&unsummed(content)).unwrap(), b"hello");
    // Everything else is checked all the same.
    let (value, _) = content.split_last_chunk::<2>().unwrap();
    let later = [value, &(VERSION_READ_MAX + 1).to_le_bytes()].concat();
    let refused = Err(PayloadError::VersionOrChecksum);
    assert_eq!(restored(&unsummed(&later)), refused);
    let cut = [&value[..value.len() - 1], &[1, 0]].concat();
    assert!(matches!(
        restored(&unsummed(&cut)),
        Err(PayloadError::Format(_))
    ));
    let mut almost = unsummed(content);
    *almost.last_mut().unwrap() = 1;
    assert_eq!(restored(&almost), refused);
}

#[test]
fn a_damaged_or_later_payload_is_told_apart_from_a_bad_value() {
    let payload = dump(&StringValue::from_bytes(b"hello").into());
    for at in 0..payload.len() {
        let mut damaged = payload.clone();
        damaged[at] ^= 0x10;
        assert_eq!(restored(&damaged), Err(PayloadError::VersionOrChecksum));
        assert_eq!(
            restored(&payload[..at]),
            Err(PayloadError::VersionOrChecksum)
        );
    }
    let mut later = payload[..payload.len() - 10].to_vec();
    later.extend((VERSION_READ_MAX + 1).to_le_bytes());
    later.extend(checksum(&later).to_le_bytes());
    assert_eq!(restored(&later), Err(PayloadError::VersionOrChecksum));
    let array = sign(b"\x1c\x00".to_vec());
    let error = restored(&array).unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset 1: type 28 (array) of key \"\" is not supported"
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_restored_or_refused(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = restored(&content);
        let _ = restore(&sign(content), &context());
    }
}

#[test]
fn a_stream_is_packed_from_the_wanted_offset_on() {
    let mut stream = stream::Stream::new(context().retention, 7);
    for seq in 1..=5000 {
        let fields: [&[u8]; 2] = [b"state", b"shipped by the first carrier"];
        let limits = stream::NodeLimits::DEFAULT;
        let id = stream::StreamId::new(1, seq);
        stream.append(id, fields.into_iter(), limits).unwrap();
    }
    let payload = dump(&Value::from(stream));
    let len = payload.len() as u64;
    let bytes = |packing| {
        let context = Context {
            packing,
            ..context()
        };
        let restored = restore(&payload, &context).unwrap();
        let stream = restored.get::<stream::Stream>().unwrap();
        stream.entries().heap_bytes(0)
    };
    let plain = bytes(crate::Packing::Later);
    assert_eq!(bytes(crate::Packing::BeyondBytes(len)), plain);
    for offset in [0, len / 2] {
        assert!(bytes(crate::Packing::BeyondBytes(offset)) < plain / 2);
    }
}
