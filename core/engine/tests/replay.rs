//! What the log holds is taken in again, whatever it is: it was acknowledged.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::config::Settings;
use engine::{Engine, Now};
use resp::Limits;

/// A request with so many values of `value_bytes` zero bytes each, whose memory nobody has to touch.
fn request(words: &[&str], values: usize, value_bytes: usize) -> Vec<u8> {
    let mut parts = vec![format!("*{}\r\n", words.len() + 2 * values)];
    for word in words {
        parts.push(format!("${}\r\n{word}\r\n", word.len()));
    }
    let head = parts.concat();
    let pair = format!("$1\r\nf\r\n${value_bytes}\r\n");
    let pair_bytes = pair.len() + value_bytes + 2;
    let mut bytes = vec![0; head.len() + values * pair_bytes];
    bytes[..head.len()].copy_from_slice(head.as_bytes());
    for number in 0..values {
        let start = head.len() + number * pair_bytes;
        let end = start + pair_bytes;
        bytes[start..start + pair.len()].copy_from_slice(pair.as_bytes());
        bytes[end - 2..end].copy_from_slice(b"\r\n");
    }
    bytes
}

#[test]
fn an_effect_may_be_longer_than_a_request() {
    let limits = Limits::default();
    // As XADD logs an entry of the longest request: with its ID in place of `*`.
    let bytes = request(
        &["XADD", "none", "NOMKSTREAM", "1795721169515-0"],
        2,
        limits.bulk_bytes_max,
    );
    assert!(bytes.len() > limits.request_bytes_max);
    let mut engine = Engine::new(Settings::default(), 7, Now::default());
    let mut replay = engine.begin_replay();
    engine.replay(&mut replay, &bytes).unwrap();
    assert_eq!(replay.requests, 1);
}
