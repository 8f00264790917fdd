//! The console's page, in a real Chromium: every view with real data, every action, what it says
//! when the server goes away, and 100,000 streams. Pictures of the views are kept in the target
//! directory.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use weir_tests::documents::root;
use weir_tests::group::{Group, SERVERS};
use weir_tests::http::{ask, get, serve};
use weir_tests::left_out;
use weir_tests::peers::{self, target_directory};
use weir_tests::programs::{node_program, node_with, run};
use weir_tests::server::Server;

/// Where the browser is.
const BROWSERS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// Runs `page/SCRIPT` in Node with the ports of a server, where pictures go, and more. A machine
/// that cannot do so says it.
fn browse(script: &str, port: u16, http: SocketAddr, more: &[&str]) {
    if !BROWSERS.iter().any(|browser| Path::new(browser).exists()) {
        return left_out::note("WEIR_REQUIRE_CLIENTS", "no chromium on this machine").unwrap();
    }
    let program = node_with(&folder().join("package.json"), &folder().join(script)).unwrap();
    let mut node = match program {
        Ok(node) => node,
        Err(why) => return left_out::note("WEIR_REQUIRE_CLIENTS", &why).unwrap(),
    };
    let pictures = target_directory().unwrap().join("page-pictures");
    node.arg(port.to_string())
        .arg(http.port().to_string())
        .arg(pictures)
        .args(more);
    // What it measured, for those who run the test with `--nocapture`.
    let said = run(&mut node).unwrap();
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}

fn started(settings: &[(&str, &str)]) -> (Server, SocketAddr) {
    serve(&peers::weir().unwrap(), settings).unwrap()
}

#[test]
fn every_view_shows_what_is_there_and_is_accessible() {
    let (server, http) = started(&[("appendonly", "yes")]);
    browse("views.js", server.address().port(), http, &[]);
}

#[test]
fn every_action_says_what_it_would_do_and_then_does_it() {
    let (server, http) = started(&[]);
    browse("actions.js", server.address().port(), http, &[]);
}

#[test]
fn a_list_of_100_000_streams_is_there_at_once_and_scrolls() {
    let (server, http) = started(&[]);
    browse("many.js", server.address().port(), http, &[]);
}

#[test]
fn retries_of_the_producer_in_the_examples_are_seen_within_a_second() {
    let example = root().join("examples/node/producer.js");
    let producer = match node_program(&example).unwrap() {
        Ok(producer) => producer,
        Err(why) => return left_out::note("WEIR_REQUIRE_CLIENTS", &why).unwrap(),
    };
    let mut environment = producer.get_envs();
    let libraries = environment.find(|(name, _)| *name == "NODE_PATH");
    let libraries = libraries.unwrap().1.unwrap().to_str().unwrap();
    let (server, http) = started(&[("appendonly", "yes")]);
    let more = [example.to_str().unwrap(), libraries];
    browse("retries.js", server.address().port(), http, &more);
}

#[test]
fn users_sign_in_where_the_server_wants_a_password() {
    let (server, http) = started(&[("requirepass", "open sesame")]);
    browse("sign_in.js", server.address().port(), http, &[]);
}

#[test]
fn servers_that_share_a_log_are_shown_and_the_lead_is_handed_over() {
    let Some(group) = Group::start(&peers::weir().unwrap()).unwrap() else {
        return;
    };
    let leader = group.leader().unwrap();
    let follower = group.address((leader + 1) % SERVERS).unwrap();
    let (port, http) = (
        group.address(leader).unwrap().port(),
        group.http(leader).unwrap(),
    );
    browse("cluster.js", port, http, &[&follower.to_string()]);
    assert_eq!(group.leader().unwrap(), (leader + 1) % SERVERS);
}

#[test]
fn everything_can_be_reached_by_keys_alone() {
    let (server, http) = started(&[]);
    browse("keyboard.js", server.address().port(), http, &[]);
}

/// Ends the wait for whoever gives orders, if nobody did.
struct HangUp(SocketAddr);

impl Drop for HangUp {
    fn drop(&mut self) {
        TcpStream::connect(self.0).ok();
    }
}

#[test]
fn two_tabs_stay_live_and_find_a_server_that_was_killed() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let settings = [("appendonly", "yes"), ("dir", path)];
    let (server, http) = started(&settings);
    let address = server.address();
    let orders = TcpListener::bind("127.0.0.1:0").unwrap();
    let orders_at = orders.local_addr().unwrap();
    thread::scope(|scope| {
        // The script says when the server is to go, and when to come back.
        scope.spawn(move || {
            let (stream, _) = orders.accept().unwrap();
            let mut server = Some(server);
            for order in BufReader::new(stream).lines() {
                match order.unwrap().as_str() {
                    "kill" => server.take().unwrap().kill().unwrap(),
                    _ => {
                        let port = http.port().to_string();
                        let all = [settings[0], settings[1], ("http-port", &port)];
                        let weir = peers::weir().unwrap();
                        server = Some(Server::start_at(address, &weir, &all).unwrap());
                    }
                }
            }
            // It serves until the script has ended.
            server
        });
        let _hang_up = HangUp(orders_at);
        browse(
            "live.js",
            address.port(),
            http,
            &[&orders_at.port().to_string()],
        );
    });
}

#[test]
fn the_page_is_kept_by_browsers_as_long_as_it_is_the_same() {
    let (_server, at) = started(&[("requirepass", "secret")]);
    // It has nothing of the server's in it, so it asks for no password.
    for (path, kind) in [
        ("/", "text/html"),
        ("/page/app.js", "text/javascript"),
        ("/page/app.css", "text/css"),
        ("/page/icon.svg", "image/svg+xml"),
        ("/page/licences.txt", "text/plain"),
    ] {
        let answer = get(at, path).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with(kind));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert!(!answer.body.is_empty());
        let tag = answer.header("etag").unwrap();
        let again = ask(at, "GET", path, &[("if-none-match", tag)], "").unwrap();
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        let other = ask(at, "GET", path, &[("if-none-match", "\"0\"")], "").unwrap();
        assert_eq!(other.status, 200, "{path}");
        assert_eq!(ask(at, "POST", path, &[], "").unwrap().status, 405);
        let foreign = [("origin", "http://evil.example")];
        assert_eq!(ask(at, "GET", path, &foreign, "").unwrap().status, 403);
    }
    assert_eq!(get(at, "/page/").unwrap().status, 404);
    let policy = get(at, "/").unwrap();
    let policy = policy.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'; style-src 'self';"));
    assert!(policy.contains("trusted-types 'none'") && !policy.contains("unsafe"));
}
