//! Where a server listens, and what holds for the connections that come in there.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use weir_tests::client::{Client, Protocol};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::sockets::{text, until};

/// An address that no machine has: it is set aside for examples.
const NOWHERE: &str = "-198.51.100.77";

#[test]
fn a_server_that_would_listen_nowhere_does_not_start_as_in_redis() {
    let weir = peers::weir().unwrap();
    let mut binaries = vec![(weir.clone(), "nothing to listen on")];
    if let Some(redis) = Peers::binary("redis86-server").unwrap() {
        binaries.push((redis, "not listen anywhere"));
    }
    for (binary, reason) in &binaries {
        let refused = Server::start_with(binary, &[("bind", NOWHERE)]).unwrap_err();
        assert!(format!("{refused:#}").contains(reason), "{refused:#}");
        // One that is there is enough.
        let both = format!("{NOWHERE} 127.0.0.1");
        let server = Server::start_with(binary, &[("bind", &both)]).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        // While it runs, it may listen nowhere; connections stay.
        let set = ["CONFIG", "SET", "bind", NOWHERE];
        assert_eq!(text(&mut client, &set), "OK");
        assert!(server.connect(Protocol::Resp2).is_err());
        assert_eq!(text(&mut client, &["PING"]), "PONG");
    }
}

/// A name that no name server knows: it is set aside for that.
const UNKNOWN: &str = "-unknown.invalid";

#[test]
fn an_address_may_be_missing_and_a_name_that_nobody_knows_may_not_as_in_redis() {
    let weir = peers::weir().unwrap();
    let redis = Peers::binary("redis86-server").unwrap();
    for binary in std::iter::once(weir).chain(redis) {
        let both = format!("127.0.0.1 {UNKNOWN}");
        let refused = Server::start_with(&binary, &[("bind", &both)]).unwrap_err();
        assert!(
            format!("{refused:#}").contains("unknown.invalid"),
            "{refused:#}"
        );
        let server = Server::start(&binary).unwrap();
        let mut client = server.connect(Protocol::Resp2).unwrap();
        let set = ["CONFIG", "SET", "bind", &both];
        let reply = client.command(&set).unwrap().to_string();
        assert!(
            reply.ends_with("Failed to bind to specified addresses."),
            "{reply}"
        );
        assert!(server.connect(Protocol::Resp2).is_ok());
    }
}

/// In how many seconds the peer of the server's end of a connection is probed, as the system tells
/// it; none if it is not.
fn probed_in_s(server: &Server, client: &Client) -> Option<u64> {
    let port = client.address().unwrap().port();
    let path = format!("/proc/{}/net/tcp", server.process_id());
    let table = std::fs::read_to_string(path).unwrap();
    let own = format!(":{port:04X}");
    let line = table.lines().find(|line| {
        let mut words = line.split_ascii_whitespace();
        words.nth(2).is_some_and(|remote| remote.ends_with(&own))
    });
    // Which timer runs, 2 for this one, and when it ends, in hundredths of a second.
    let timer = line.unwrap().split_ascii_whitespace().nth(5).unwrap();
    let (kind, when) = timer.split_once(':').unwrap();
    let hundredths = u64::from_str_radix(when, 16).unwrap();
    (kind == "02").then_some(hundredths.div_ceil(100))
}

#[test]
fn how_soon_a_silent_client_is_probed_changes_for_new_connections() {
    let settings = [("tcp-keepalive", "300"), ("io-threads", "2")];
    let server = Server::start_with(&peers::weir().unwrap(), &settings).unwrap();
    let mut old = server.connect(Protocol::Resp2).unwrap();
    let connected = |within: std::ops::RangeInclusive<u64>| {
        until(|| {
            let mut new = server.connect(Protocol::Resp2).unwrap();
            assert_eq!(text(&mut new, &["PING"]), "PONG");
            probed_in_s(&server, &new).is_some_and(|seconds| within.contains(&seconds))
        });
    };
    connected(200..=300);
    let set = ["CONFIG", "SET", "tcp-keepalive", "77"];
    assert_eq!(text(&mut old, &set), "OK");
    connected(50..=77);
    // While what it was sent is not acknowledged, another timer runs.
    until(|| probed_in_s(&server, &old).is_some_and(|seconds| seconds > 200));
    let set = ["CONFIG", "SET", "tcp-keepalive", "0"];
    assert_eq!(text(&mut old, &set), "OK");
    until(|| {
        let mut new = server.connect(Protocol::Resp2).unwrap();
        assert_eq!(text(&mut new, &["PING"]), "PONG");
        probed_in_s(&server, &new).is_none()
    });
}
