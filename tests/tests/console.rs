//! What the server tells by HTTP, whom it tells, and what it refuses.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use weir_tests::certificates::{self, Authority, Certified};
use weir_tests::client::Protocol;
use weir_tests::http::{Answer, ask, connect, free_port, get, read, serve};
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::sockets::text;

/// `name:password` as HTTP basic authentication sends it.
const ALICE: &str = "Basic YWxpY2U6c2VjcmV0"; // alice:secret
const ALICE_WRONG: &str = "Basic YWxpY2U6d3Jvbmc="; // alice:wrong

fn with(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(at, "GET", path, headers, "").unwrap()
}

#[test]
fn health_is_told_to_everybody_and_the_rest_to_users() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[("requirepass", "open sesame")]).unwrap();
    assert_eq!(get(at, "/healthz").unwrap().body, "ok\n");
    assert_eq!(get(at, "/readyz").unwrap().body, "ready\n");
    let refused = get(at, "/metrics").unwrap();
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .starts_with("Basic ")
    );
    let mut client = server.connect(Protocol::Resp2).unwrap();
    assert_eq!(text(&mut client, &["AUTH", "open sesame"]), "OK");
    let rules = "ACL SETUSER alice on >secret %R~seen* +info +xinfo|stream +hello";
    let rules: Vec<&str> = rules.split(' ').collect();
    assert_eq!(text(&mut client, &rules), "OK");
    for key in ["seen:1", "hidden:1"] {
        text(&mut client, &["XADD", key, "1-1", "field", "value"]);
    }
    let metrics = with(at, "/metrics", &[("authorization", ALICE)]);
    assert_eq!(metrics.status, 200, "{}", metrics.body);
    assert!(
        metrics
            .body
            .contains("weir_stream_length{db=\"0\",stream=\"seen:1\"} 1")
    );
    assert!(!metrics.body.contains("hidden"));
    // Sums are about everything.
    assert!(
        metrics.body.contains("\nweir_streams 2\n"),
        "{}",
        metrics.body
    );
    for wrong in [ALICE_WRONG, "Bearer abc", "Basic ???"] {
        let refused = with(at, "/metrics", &[("authorization", wrong)]);
        assert_eq!(refused.status, 401, "{wrong}");
    }
    text(&mut client, &["ACL", "SETUSER", "alice", "-info"]);
    let refused = with(at, "/metrics", &[("authorization", ALICE)]);
    assert_eq!(refused.status, 403);
}

#[test]
fn a_browser_is_told_to_do_nothing_with_what_it_gets() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[("http-hosts", "weir.example Other.example")]).unwrap();
    for path in ["/healthz", "/metrics", "/nowhere"] {
        let answer = get(at, path).unwrap();
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let own = format!("http://{at}");
    let allowed: [&[(&str, &str)]; 4] = [
        &[("host", "localhost")],
        &[("host", "weir.example:8080")],
        &[("host", "other.example")],
        &[("origin", &own)],
    ];
    for headers in allowed {
        assert_eq!(with(at, "/metrics", headers).status, 200, "{headers:?}");
    }
    let refused: [&[(&str, &str)]; 4] = [
        &[("host", "evil.example")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
    ];
    for headers in refused {
        for path in ["/metrics", "/healthz"] {
            assert_eq!(with(at, path, headers).status, 403, "{headers:?}");
        }
    }
}

#[test]
fn what_is_not_there_is_said_with_what_would_be() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    assert_eq!(get(at, "/nowhere").unwrap().status, 404);
    let refused = ask(at, "POST", "/metrics", &[], "").unwrap();
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD"))
    );
    for odd in ["/metrics?rows=1001", "/metrics?rows=x", "/metrics?odd=1"] {
        assert_eq!(get(at, odd).unwrap().status, 400, "{odd}");
    }
    assert_eq!(get(at, "/metrics?rows=1000").unwrap().status, 200);
}

/// Bounds of the console (`shell/console/src/limits.rs`).
const BODY_BYTES_MAX: usize = 1 << 20;
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
const CONNECTIONS_MAX: usize = 64;

#[test]
fn heads_and_bodies_are_taken_up_to_their_bounds() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    let body = "x".repeat(BODY_BYTES_MAX);
    assert_eq!(ask(at, "GET", "/healthz", &[], &body).unwrap().status, 200);
    let longer = format!("{body}x");
    assert_eq!(
        ask(at, "GET", "/healthz", &[], &longer).unwrap().status,
        413
    );
    let with_header = |len: usize| {
        let value = "x".repeat(len);
        with(at, "/healthz", &[("x-long", &value)]).status
    };
    assert_eq!(with_header(HEAD_BYTES_MAX - 200), 200);
    assert_eq!(with_header(HEAD_BYTES_MAX), 431);
    let with_headers = |count: usize| {
        // Three are the usual ones.
        let names: Vec<String> = (3..count).map(|n| format!("x-{n}")).collect();
        let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
        with(at, "/healthz", &headers).status
    };
    assert_eq!(with_headers(HEADERS_MAX), 200);
    assert_eq!(with_headers(HEADERS_MAX + 1), 431);
}

#[test]
fn connections_are_taken_up_to_their_bound_and_the_next_is_told() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut stream = connect(at).unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\nhost: {at}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    assert_eq!(read(&mut connect(at).unwrap()).unwrap().status, 503);
    held.pop();
    let begun = Instant::now();
    while get(at, "/healthz").map_or(503, |answer| answer.status) != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

/// How long the head of a request, and a whole one, may take (`shell/console/src/limits.rs`).
const REQUEST_TIME: Duration = Duration::from_secs(15);

#[test]
fn those_who_send_slowly_are_cut_off_and_others_are_served_meanwhile() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    let head = format!("POST /healthz HTTP/1.1\r\nhost: {at}\r\ncontent-length: 100\r\n");
    let slow = |begin: String, more: &'static str| {
        let mut stream = connect(at).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        let mut sender = stream.try_clone().unwrap();
        // A piece each second, until nobody takes it any more.
        std::thread::spawn(move || {
            while sender.write_all(more.as_bytes()).is_ok() {
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        stream.set_read_timeout(Some(REQUEST_TIME * 3)).unwrap();
        stream
    };
    let begun = Instant::now();
    let mut in_head = slow(head.clone(), "x: y\r\n");
    let mut in_body = slow(format!("{head}\r\n"), "x");
    assert_eq!(get(at, "/healthz").unwrap().status, 200);
    let mut answer = Vec::new();
    in_head.read_to_end(&mut answer).ok();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert!(begun.elapsed() >= REQUEST_TIME && begun.elapsed() < REQUEST_TIME * 2);
    let mut first = [0; 12];
    in_body.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 408");
    assert!(begun.elapsed() < REQUEST_TIME * 2);
}

#[test]
fn a_server_that_loads_or_refuses_writes_is_alive_and_not_ready() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[("save", "3600 1")]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    text(&mut client, &["SET", "key", "value"]);
    // A folder in the place of the snapshot: it cannot be written.
    std::fs::create_dir_all(server.folder().join("dump.rdb").join("x")).unwrap();
    text(&mut client, &["BGSAVE"]);
    let begun = Instant::now();
    let refused = loop {
        let answer = get(at, "/readyz").unwrap();
        if answer.status == 503 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    };
    assert_eq!(refused.body, "writes are refused: snapshots fail\n");
    assert_eq!(get(at, "/healthz").unwrap().status, 200);
    assert!(
        get(at, "/metrics")
            .unwrap()
            .body
            .contains("\nweir_ready 0\n")
    );
}

#[test]
fn it_ends_with_the_server_though_somebody_is_connected() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[]).unwrap();
    let mut silent = connect(at).unwrap();
    let mut asked = connect(at).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {at}\r\n\r\n");
    asked.write_all(request.as_bytes()).unwrap();
    asked.read_exact(&mut [0; 12]).unwrap();
    let begun = Instant::now();
    server.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert!(matches!(silent.read(&mut [0; 12]), Ok(0) | Err(_)));
    assert!(connect(at).is_err());
}

#[test]
fn a_port_that_is_taken_or_tls_that_is_not_set_keeps_it_from_starting() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    let port = at.port().to_string();
    let refused = Server::start_with(&weir, &[("http-port", &port)]).unwrap_err();
    assert!(format!("{refused:#}").contains("http-port"), "{refused:#}");
    let port = free_port().unwrap().to_string();
    let settings = [("http-port", port.as_str()), ("http-tls", "yes")];
    let refused = Server::start_with(&weir, &settings).unwrap_err();
    assert!(
        format!("{refused:#}").contains("set tls-port"),
        "{refused:#}"
    );
}

#[test]
fn it_speaks_tls_with_the_certificate_and_the_rules_of_the_server() {
    let weir = peers::weir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.certify().write(folder.path(), "server");
    let trusted = authority.write(folder.path(), "ca.crt");
    let tls_port = free_port().unwrap().to_string();
    let settings = [
        ("tls-port", tls_port.as_str()),
        ("tls-cert-file", &certificate),
        ("tls-key-file", &key),
        ("tls-ca-cert-file", &trusted),
        ("tls-auth-clients", "yes"),
        ("http-tls", "yes"),
    ];
    let (_server, at) = serve(&weir, &settings).unwrap();
    let ask = |shown: Option<&Certified>| -> anyhow::Result<Answer> {
        let mut stream = certificates::connect(at.port(), &authority.client(shown))?;
        let host = format!("host: {at}\r\norigin: https://{at}\r\nconnection: close");
        write!(stream, "GET /readyz HTTP/1.1\r\n{host}\r\n\r\n")?;
        read(&mut stream)
    };
    let known = authority.certify();
    assert_eq!(ask(Some(&known)).unwrap().body, "ready\n");
    assert!(ask(None).is_err());
    assert!(ask(Some(&stranger.certify())).is_err());
    // In the clear nobody is answered.
    assert!(get(at, "/readyz").is_err());
}

#[test]
fn beyond_the_loopback_only_users_with_a_password_are_served() {
    let Some(address) = beyond_the_loopback() else {
        return;
    };
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[("http-bind", "*")]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    text(
        &mut client,
        &["ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*"],
    );
    let beyond = SocketAddr::from((address, at.port()));
    assert_eq!(get(at, "/metrics").unwrap().status, 200);
    assert_eq!(get(beyond, "/healthz").unwrap().status, 200);
    assert_eq!(get(beyond, "/metrics").unwrap().status, 401);
    let open = with(beyond, "/metrics", &[("authorization", ALICE)]);
    assert_eq!(open.status, 403, "{}", open.body);
    text(&mut client, &["ACL", "SETUSER", "alice", ">secret"]);
    let known = with(beyond, "/metrics", &[("authorization", ALICE)]);
    assert_eq!(known.status, 200, "{}", known.body);
}

/// An address of this machine that is not of the loopback, if it has one.
fn beyond_the_loopback() -> Option<std::net::IpAddr> {
    // Nothing is sent: the system only says which address it would be sent from.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.77:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Families in a page of metrics: name, type and what it is.
fn families(page: &str) -> BTreeMap<String, (String, String)> {
    let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            found.entry(name.to_owned()).or_default().1 = help.trim_end_matches('.').to_owned();
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            found.entry(name.to_owned()).or_default().0 = kind.to_owned();
        }
    }
    found
}

/// Families in `docs/metrics.md`.
fn documented() -> BTreeMap<String, (String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [name, kind, help] = cells[..] else {
            panic!("{row}");
        };
        let name = name.trim_end_matches('`').to_owned();
        (name, (kind.to_owned(), help.to_owned()))
    })
    .collect()
}

#[test]
fn the_page_of_metrics_has_what_a_server_exports() {
    let weir = peers::weir().unwrap();
    let (_server, at) = serve(&weir, &[]).unwrap();
    let answer = get(at, "/metrics").unwrap();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    assert!(answer.body.ends_with("# EOF\n"));
    assert_eq!(families(&answer.body), documented());
}

#[test]
fn metrics_tell_of_streams_groups_and_duplicates() {
    let weir = peers::weir().unwrap();
    let settings = [("appendonly", "yes"), ("appendfsync", "always")];
    let (server, at) = serve(&weir, &settings).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for request in [
        "XADD orders 1000-1 item plum",
        "XADD orders IDMP shop 1 * item apple",
        "XADD orders IDMP shop 1 * item apple",
        "XADD orders IDMP shop 2 * item pear",
        "XGROUP CREATE orders workers 0",
        "XREADGROUP GROUP workers w1 COUNT 1 STREAMS orders >",
        "XCLAIM orders workers w2 0 1000-1",
        "XCLAIM orders workers w2 0 1000-1 JUSTID",
        "XADD orders DELAY 100000 * item fig",
        "GET orders",
    ] {
        let request: Vec<&str> = request.split(' ').collect();
        client.command(&request).unwrap();
    }
    let page = get(at, "/metrics").unwrap().body;
    for line in [
        "weir_stream_length{db=\"0\",stream=\"orders\"} 3",
        "weir_stream_added_total{db=\"0\",stream=\"orders\"} 3",
        "weir_stream_iids_duplicates_total{db=\"0\",stream=\"orders\"} 1",
        "weir_stream_iids{db=\"0\",stream=\"orders\"} 2",
        "weir_idempotence_duplicates 1",
        "weir_group_lag{db=\"0\",stream=\"orders\",group=\"workers\"} 2",
        "weir_group_pending{db=\"0\",stream=\"orders\",group=\"workers\"} 1",
        "weir_group_redelivered{db=\"0\",stream=\"orders\",group=\"workers\"} 1",
        "weir_group_consumers{db=\"0\",stream=\"orders\",group=\"workers\"} 2",
        "weir_commands_total{command=\"xadd\"} 5",
        "weir_stream_delayed{db=\"0\",stream=\"orders\"} 1",
        "weir_streams_delayed 1",
        "weir_idempotence_caught_total 1",
        "weir_groups_redelivered_total 1",
        "weir_groups_dead_lettered_total 0",
        "weir_commands_failed_total{command=\"get\"} 1",
        "weir_errors_total{code=\"WRONGTYPE\"} 1",
        "weir_keys{db=\"0\"} 1",
    ] {
        assert!(page.lines().any(|has| has == line), "{line}\n{page}");
    }
    let value = |name: &str| {
        let page = get(at, "/metrics").unwrap().body;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}"))
            .parse::<f64>()
            .unwrap()
    };
    assert!(value("weir_last_lsn") >= 5.0);
    // The journal's figures come to the engine now and then.
    let begun = Instant::now();
    while value("weir_journal_sync_duration_seconds_count") < 2.0
        || value("weir_journal_batches_total") < 5.0
        || value("weir_journal_commit_batches_count") < 5.0
        || value("weir_durable_lsn") < value("weir_last_lsn")
    {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    let matched = get(at, "/metrics?match=ord*").unwrap().body;
    assert!(matched.contains("stream=\"orders\""));
    let none = get(at, "/metrics?match=other*").unwrap().body;
    assert!(!none.contains("stream=\""));
}

#[test]
fn metrics_tell_of_what_went_wrong_with_entries() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for request in [
        "XGROUP CREATE orders workers 0 MKSTREAM",
        "XCFGSET orders IDMP-MAXSIZE 2 IDMP-CONFLICT ERROR IDMP-STATS ON",
        "XADD orders IDMP shop 1 * item apple",
        "XADD orders IDMP shop 1 * item pear",
        "XADD orders IDMP shop 2 * item fig",
        "XADD orders IDMP shop 3 * item plum",
        "XGROUP SETCFG orders workers DEADLETTER dead MAXDELIVERIES 2",
        "XREADGROUP GROUP workers w1 COUNT 1 STREAMS orders >",
        "XREADGROUP GROUP workers w1 CLAIM 0 COUNT 1 STREAMS orders >",
        "XREADGROUP GROUP workers w1 CLAIM 0 COUNT 1 STREAMS orders >",
    ] {
        let request: Vec<&str> = request.split(' ').collect();
        client.command(&request).unwrap();
    }
    let page = get(at, "/metrics").unwrap().body;
    for line in [
        "weir_stream_iids_conflicts_total{db=\"0\",stream=\"orders\"} 1",
        "weir_stream_iids_dropped_total{db=\"0\",stream=\"orders\"} 1",
        "weir_idempotence_dropped_total 1",
        "weir_groups_redelivered_total 1",
        "weir_groups_dead_lettered_total 1",
    ] {
        assert!(page.lines().any(|has| has == line), "{line}\n{page}");
    }
    // A stream that does not count has no sample.
    assert!(!page.contains("weir_stream_iids_dropped_total{db=\"0\",stream=\"dead\"}"));
}

#[test]
fn metrics_tell_of_clients_that_read_slowly() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let long = "x".repeat(1 << 20);
    assert_eq!(text(&mut client, &["SET", "long", &long]), "OK");
    let held_back = || {
        let page = get(at, "/metrics").unwrap().body;
        page.contains("\nweir_clients_held_back 1\n")
    };
    assert!(!held_back());
    let mut slow = std::net::TcpStream::connect(server.address()).unwrap();
    // More than the buffers of both sockets hold.
    slow.write_all("GET long\r\n".repeat(32).as_bytes())
        .unwrap();
    let begun = Instant::now();
    while !held_back() {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    drop(slow);
    while held_back() {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn the_largest_streams_are_told_of_and_no_more_than_that() {
    const STREAMS: usize = 2000;
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    let script = "for n = 1, tonumber(ARGV[1]) do \
                  redis.call('XADD', 'stream:' .. n, '1-1', 'field', string.rep('x', n == 2000 and 1e5 or 1)) \
                  redis.call('XGROUP', 'CREATE', 'stream:' .. n, 'group', '0') end return 'done'";
    let count = STREAMS.to_string();
    assert_eq!(text(&mut client, &["EVAL", script, "0", &count]), "done");
    let named = |path: &str| -> BTreeSet<String> {
        let page = get(at, path).unwrap().body;
        let lines = page.lines().filter_map(|line| {
            let rest = line.strip_prefix("weir_stream_length{db=\"0\",stream=\"")?;
            Some(rest.split('"').next()?.to_owned())
        });
        lines.collect()
    };
    let largest = named("/metrics");
    assert_eq!(largest.len(), 50);
    assert!(largest.contains("stream:2000") && !largest.contains("stream:999"));
    assert_eq!(named("/metrics?rows=1000").len(), 1000);
    assert!(named("/metrics?rows=0").is_empty());
    assert_eq!(named("/metrics?match=stream:7").len(), 1);
    let page = get(at, "/metrics?rows=1000").unwrap().body;
    assert!(page.len() < 2 << 20, "{}", page.len());
    assert_eq!(
        page.lines()
            .filter(|line| line.starts_with("weir_group_lag{"))
            .count(),
        1000
    );
}

#[test]
fn names_of_keys_cannot_break_the_page_of_metrics() {
    let weir = peers::weir().unwrap();
    let (server, at) = serve(&weir, &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for key in ["a\"b\nc\\d", "<script>alert(1)</script>", "} 1\n# EOF"] {
        text(&mut client, &["XADD", key, "1-1", "field", "value"]);
    }
    let page = get(at, "/metrics").unwrap().body;
    let streams = page
        .lines()
        .filter(|line| line.starts_with("weir_stream_length{"));
    let streams: Vec<&str> = streams.collect();
    for name in [
        r#"a\"b\nc\\\\d"#,
        "<script>alert(1)</script>",
        r"} 1\n# EOF",
    ] {
        let line = format!("weir_stream_length{{db=\"0\",stream=\"{name}\"}} 1");
        assert!(streams.contains(&line.as_str()), "{line}: {streams:?}");
    }
    assert_eq!(streams.len(), 3);
    assert_eq!(page.matches("\n# EOF").count(), 1);
}
