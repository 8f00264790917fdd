//! `DUMP` of values that are written without the lock.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use weir_tests::client::{Client, Protocol};
use weir_tests::sockets::server;
use weir_tests::value::Value;

/// The next reply, which is a payload.
fn payload(client: &mut Client) -> Vec<u8> {
    client.read().unwrap().as_bytes().unwrap().to_vec()
}

#[test]
fn payloads_that_clients_wait_for_at_once_are_whole_and_come_in_order() {
    const CLIENTS: usize = 8;
    const ELEMENTS: i64 = 60_000;
    let server = server(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let mut writer = server.connect(Protocol::Resp2).unwrap();
    let element = |index: i64| format!("element-{index}");
    for start in (0..ELEMENTS).step_by(1000) {
        let mut words = vec!["RPUSH".to_owned(), "l".to_owned()];
        words.extend((start..start + 1000).map(element));
        writer.command(&words).unwrap();
    }
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|_| server.connect(Protocol::Resp2).unwrap())
        .collect();
    for client in &mut clients {
        for words in [&["DUMP", "l"][..], &["ECHO", "x"], &["DUMP", "l"]] {
            client.send(words).unwrap();
        }
    }
    // What others do meanwhile is there as a whole or not at all, and stays once it is there.
    let mut pushed = ELEMENTS;
    for client in &mut clients {
        for _ in 0..3 {
            writer.command(&["RPUSH", "l", &element(pushed)]).unwrap();
            pushed += 1;
        }
        let first = payload(client);
        assert_eq!(client.read().unwrap(), Value::bulk("x"));
        let mut least = ELEMENTS;
        for payload in [first, payload(client)] {
            let words = [&b"RESTORE"[..], b"m", b"0", &payload, b"REPLACE"];
            assert_eq!(client.command(&words).unwrap(), Value::Simple("OK".into()));
            let len = client.command(&["LLEN", "m"]).unwrap().as_int().unwrap();
            assert!((least..=pushed).contains(&len), "{len}");
            least = len;
            let last = client.command(&["LINDEX", "m", "-1"]).unwrap();
            assert_eq!(last, Value::bulk(element(len - 1)));
        }
    }
}
