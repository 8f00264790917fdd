//! `maxmemory` counts at each request: what goes beyond it is refused, and what there is room for
//! is not.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::path::PathBuf;

use weir_tests::client::{Client, Protocol, encode};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

const MB: usize = 1 << 20;

/// weir, and Redis if it is available.
fn binaries() -> Vec<PathBuf> {
    let redis = Peers::binary("redis86-server").unwrap();
    [peers::weir().unwrap()].into_iter().chain(redis).collect()
}

fn ask(client: &mut Client, request: &str) -> String {
    let words: Vec<&str> = request.split(' ').collect();
    client.command(&words).unwrap().to_string()
}

/// Sends requests in one write. The replies, each cut to its first word.
fn ask_all(client: &mut Client, requests: &[&str]) -> Vec<String> {
    let mut bytes = Vec::new();
    for request in requests {
        encode(&mut bytes, &request.split(' ').collect::<Vec<_>>());
    }
    client.send_raw(&bytes).unwrap();
    let first_word = |reply: String| reply.split(' ').next().unwrap_or_default().to_owned();
    let replies = requests.iter().map(|_| client.read().unwrap().to_string());
    replies.map(first_word).collect()
}

fn used_memory(client: &mut Client) -> usize {
    let reply = client.command(&["INFO", "memory"]).unwrap();
    let info = String::from_utf8_lossy(reply.as_bytes().unwrap());
    let figure = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    figure.unwrap().trim().parse().unwrap()
}

/// Allows this much more than is used now.
fn allow(client: &mut Client, bytes: usize) {
    let limit = used_memory(client) + bytes;
    assert_eq!(ask(client, &format!("CONFIG SET maxmemory {limit}")), "+OK");
}

#[test]
fn one_request_may_go_beyond_it_and_none_behind_that_in_the_same_write() {
    for binary in binaries() {
        let server = Server::start_with(&binary, &[("io-threads", "2")]).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        for fill in ["SETRANGE a 40000000 x", "SETBIT a 320000000 1"] {
            allow(&mut client, 30 * MB);
            let replies = ask_all(
                &mut client,
                &[
                    "SET b 1",
                    fill,
                    "APPEND a x",
                    "MSET c 1 d 1",
                    "XADD s * f v",
                    "GET b",
                    "DEL a",
                    "SET b 2",
                ],
            );
            assert_eq!(replies[0], "+OK");
            assert!(!replies[1].starts_with('-'), "{replies:?}");
            assert_eq!(
                replies[2..],
                ["-OOM", "-OOM", "-OOM", "\"1\"", "1", "+OK"],
                "{fill}"
            );
        }
    }
}

#[test]
fn there_is_room_as_soon_as_something_was_removed() {
    const ENTRIES: usize = 20_000;
    for binary in binaries() {
        let server = Server::start_with(&binary, &[("io-threads", "2")]).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let mut other = server.connect(Protocol::Resp2).unwrap();
        for free in [
            "XTRIM s MAXLEN 10",
            "DEL s",
            "FLUSHALL",
            "SET s v",
            "RENAME small s",
        ] {
            ask(&mut client, "FLUSHALL");
            ask(&mut client, "SET small v");
            let value = "v".repeat(1000);
            let add = format!("XADD s * f {value}");
            for reply in ask_all(&mut client, &vec![add.as_str(); ENTRIES]) {
                assert!(!reply.starts_with('-'), "{reply}");
            }
            ask(&mut client, "CONFIG SET maxmemory 1");
            let limit = used_memory(&mut client) - 5 * MB;
            ask(&mut client, &format!("CONFIG SET maxmemory {limit}"));
            // What overwrites needs room like any other write.
            let refused = ask(&mut other, "XADD other * f v");
            assert!(refused.contains("OOM"), "{refused}");
            let replies = if free == "SET s v" {
                ask(&mut client, "CONFIG SET maxmemory 0");
                let limit = limit.to_string();
                let limited = format!("CONFIG SET maxmemory {limit}");
                ask_all(&mut client, &[free, &limited, "SET k v"])
            } else {
                ask_all(&mut client, &[free, "SET k v"])
            };
            assert_eq!(
                replies.last().unwrap(),
                "+OK",
                "{free} on {}",
                binary.display()
            );
            let added = ask(&mut other, "XADD other * f v");
            assert!(!added.contains("OOM"), "{free}: {added}");
            ask(&mut client, "CONFIG SET maxmemory 0");
        }
    }
}

#[test]
fn what_one_connection_takes_is_known_to_all_others_at_once() {
    for binary in binaries() {
        let server = Server::start_with(&binary, &[("io-threads", "2")]).unwrap();
        let mut clients: Vec<Client> = (0..4)
            .map(|_| server.connect(Protocol::Resp2).unwrap())
            .collect();
        allow(&mut clients[0], 30 * MB);
        for round in 0..8 {
            let (taker, other) = (round % 4, (round + 1 + round / 4) % 4);
            ask(&mut clients[taker], "SETRANGE a 40000000 x");
            let refused = ask(&mut clients[other], "SET b 1");
            assert!(refused.contains("OOM"), "{refused}");
            ask(&mut clients[taker], "DEL a");
            assert_eq!(ask(&mut clients[other], "SET b 1"), "+OK");
        }
    }
}
