use proptest::prelude::*;
use values::StringValue;

use super::*;

fn context() -> Context {
    Context {
        now_ms: 1_700_000_000_000,
    }
}

/// Payloads made by Redis 8.6.3: a name, a blank, and the payload in hex on each line.
fn fixture(name: &str) -> Vec<u8> {
    let lines = include_str!("../../fixtures/payloads.txt").lines();
    let hex = lines
        .filter_map(|line| line.split_once(' '))
        .find_map(|(of, hex)| (of == name).then_some(hex))
        .unwrap_or_else(|| panic!("no fixture {name}"));
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn restored(payload: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let Value::String(string) = restore(payload, &context())?;
    Ok(string.to_vec())
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
    let list = signed(b"\x12\x00");
    let error = restored(&list).unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset 1: type 18 (list) of key \"\" is not supported"
    );
    assert!(
        restored(&signed(b"\x00\x01ab")).is_err(),
        "more bytes than the value needs"
    );
}

/// A payload of these bytes that is whole, whatever they are.
fn signed(content: &[u8]) -> Vec<u8> {
    let mut payload = content.to_vec();
    payload.extend(13_u16.to_le_bytes());
    payload.extend(checksum(&payload).to_le_bytes());
    payload
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_restored_or_refused(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = restored(&content);
        let _ = restore(&signed(&content), &context());
    }
}
