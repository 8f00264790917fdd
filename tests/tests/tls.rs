//! Clients that speak TLS.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustls::{CipherSuite, HandshakeKind};
use tempfile::TempDir;
use weir_tests::certificates::{Authority, Certified, TlsStream, client_of, connect};
use weir_tests::client::{Client, Protocol};
use weir_tests::documents::{blocks, root};
use weir_tests::left_out;
use weir_tests::peers::{self, Peers};
use weir_tests::programs::{python, run};
use weir_tests::server::Server;
use weir_tests::sockets::{PATIENCE, figure, request, server, text, until};
use weir_tests::value::Value;

struct Setup {
    folder: TempDir,
    authority: Authority,
    shown: Certified,
    server: Server,
    port: u16,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn setup(auth_clients: &str) -> Setup {
    setup_with(auth_clients, &[])
}

fn setup_with(auth_clients: &str, more: &[(&str, &str)]) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let shown = authority.certify();
    let (certificate, key) = shown.write(folder.path(), "server");
    let trusted = authority.write(folder.path(), "ca.crt");
    let port = free_port();
    let port_text = port.to_string();
    let mut settings = vec![
        ("tls-port", port_text.as_str()),
        ("tls-cert-file", &certificate),
        ("tls-key-file", &key),
        ("tls-ca-cert-file", &trusted),
        ("tls-auth-clients", auth_clients),
    ];
    settings.extend(more);
    let server = server(&settings);
    Setup {
        folder,
        authority,
        shown,
        server,
        port,
    }
}

fn ask(stream: &mut TlsStream, args: &[&[u8]], reply: &[u8]) {
    stream.write_all(&request(args)).unwrap();
    expect(stream, reply);
}

fn expect(stream: &mut TlsStream, reply: &[u8]) {
    let mut found = vec![0; reply.len()];
    stream.read_exact(&mut found).unwrap();
    assert!(
        found == reply,
        "{}",
        String::from_utf8_lossy(&found[..reply.len().min(80)])
    );
}

/// The error that a command is answered.
fn refusal(client: &mut Client, command: &[&str]) -> String {
    match client.command(command).unwrap() {
        Value::Error(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other}"),
    }
}

/// The next line, without its end.
fn line(stream: &mut TlsStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

#[test]
fn requests_and_pipelines_of_megabytes_pass_in_both_directions() {
    let setup = setup("no");
    let mut client = connect(setup.port, &setup.authority.client(None)).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
    let value: Vec<u8> = (0..8 << 20_u32).map(|at| (at % 251) as u8).collect();
    ask(&mut client, &[b"SET", b"large", &value], b"+OK\r\n");
    let mut reply = format!("${}\r\n", value.len()).into_bytes();
    reply.extend_from_slice(&value);
    reply.extend_from_slice(b"\r\n");
    let pipeline = request(&[b"GET", b"large"]).repeat(4);
    client.write_all(&pipeline).unwrap();
    for _ in 0..4 {
        expect(&mut client, &reply);
    }
    const PINGS: usize = 100_000;
    client.write_all(&request(&[b"PING"]).repeat(1000)).unwrap();
    for _ in 1..PINGS / 1000 {
        client.write_all(&request(&[b"PING"]).repeat(1000)).unwrap();
        expect(&mut client, &b"+PONG\r\n".repeat(1000));
    }
    expect(&mut client, &b"+PONG\r\n".repeat(1000));
    // The other one waits, and is woken.
    let mut waits = connect(setup.port, &setup.authority.client(None)).unwrap();
    waits
        .write_all(&request(&[b"BLPOP", b"list", b"0"]))
        .unwrap();
    waits.flush().unwrap();
    ask(&mut client, &[b"RPUSH", b"list", b"x"], b":1\r\n");
    expect(&mut waits, b"*2\r\n$4\r\nlist\r\n$1\r\nx\r\n");
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    let info = text(&mut plain, &["INFO", "server"]);
    assert!(
        info.contains(&format!("name=tls,bind=127.0.0.1,port={}", setup.port)),
        "{info}"
    );
    // Without the other port, this one remains, and is what clients are told.
    assert_eq!(text(&mut plain, &["CONFIG", "SET", "port", "0"]), "OK");
    assert!(setup.server.connect(Protocol::Resp2).is_err());
    let mut client = connect(setup.port, &setup.authority.client(None)).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
}

#[test]
fn sessions_are_resumed() {
    let setup = setup("no");
    let config = setup.authority.client(None);
    let kinds = [(); 2].map(|()| {
        let mut client = connect(setup.port, &config).unwrap();
        ask(&mut client, &[b"PING"], b"+PONG\r\n");
        client.conn.handshake_kind()
    });
    assert!(
        matches!(kinds[1], Some(HandshakeKind::Resumed)),
        "{kinds:?}"
    );
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    let off = ["CONFIG", "SET", "tls-session-caching", "no"];
    assert_eq!(text(&mut plain, &off), "OK");
    let mut client = connect(setup.port, &config).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
    assert!(matches!(
        client.conn.handshake_kind(),
        Some(HandshakeKind::Full)
    ));
}

/// Whether a client is served.
fn is_served(port: u16, authority: &Authority, shown: Option<&Certified>) -> bool {
    let Ok(mut client) = connect(port, &authority.client(shown)) else {
        return false;
    };
    let mut reply = [0; 7];
    client.write_all(&request(&[b"PING"])).is_ok() && client.read_exact(&mut reply).is_ok()
}

#[test]
fn clients_show_certificates_of_the_authority_where_they_must() {
    let setup = setup("yes");
    let (port, authority) = (setup.port, &setup.authority);
    let (good, stranger) = (authority.certify(), Authority::new());
    let bad = stranger.certify();
    assert!(is_served(port, authority, Some(&good)));
    assert!(!is_served(port, authority, Some(&bad)));
    assert!(!is_served(port, authority, None));
    assert!(!is_served(port, &stranger, Some(&good)));
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    let optional = ["CONFIG", "SET", "tls-auth-clients", "optional"];
    assert_eq!(text(&mut plain, &optional), "OK");
    assert!(is_served(port, authority, Some(&good)));
    assert!(!is_served(port, authority, Some(&bad)));
    assert!(is_served(port, authority, None));
}

#[test]
fn a_new_certificate_is_shown_to_new_clients_and_a_bad_one_to_nobody() {
    let setup = setup("no");
    let config = setup.authority.client(None);
    let mut before = connect(setup.port, &config).unwrap();
    ask(&mut before, &[b"PING"], b"+PONG\r\n");
    assert!(setup.shown.is_shown_by(&before));
    let next = setup.authority.certify();
    let (certificate, key) = next.write(setup.folder.path(), "next");
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    // A key that is another's.
    let set = ["CONFIG", "SET", "tls-cert-file", &certificate];
    let refused = refusal(&mut plain, &set);
    assert!(refused.contains("'tls-cert-file"), "{refused}");
    assert!(refused.contains("KeyMismatch"), "{refused}");
    assert!(
        setup
            .shown
            .is_shown_by(&connect(setup.port, &config).unwrap())
    );
    let both = [
        "CONFIG",
        "SET",
        "tls-cert-file",
        &certificate,
        "tls-key-file",
        &key,
    ];
    assert_eq!(text(&mut plain, &both), "OK");
    assert!(next.is_shown_by(&connect(setup.port, &config).unwrap()));
    ask(&mut before, &[b"PING"], b"+PONG\r\n");
    // The same names, with other contents.
    let renewed = setup.authority.certify();
    renewed.write(setup.folder.path(), "next");
    assert_eq!(text(&mut plain, &both[..4]), "OK");
    assert!(renewed.is_shown_by(&connect(setup.port, &config).unwrap()));
}

#[test]
fn what_is_no_handshake_ends_and_harms_nobody() {
    let setup = setup("no");
    let raw = || {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, setup.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let mut half = raw();
    half.write_all(&[22, 3, 1, 1, 0, 1, 0, 0, 0xfc]).unwrap();
    let mut plain = raw();
    plain.write_all(b"PING\r\nPING\r\n").unwrap();
    let mut reply = Vec::new();
    plain.read_to_end(&mut reply).ok();
    assert!(!reply.windows(4).any(|window| window == b"PONG"));
    let mut client = connect(setup.port, &setup.authority.client(None)).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
    // One that is cut off in the middle of a request.
    client.write_all(b"*2\r\n$4\r\nECHO\r\n$5\r\nhe").unwrap();
    client.sock.shutdown(Shutdown::Both).unwrap();
    // Half a handshake ends by itself.
    assert_eq!(half.read_to_end(&mut reply).ok(), Some(0));
    let mut client = connect(setup.port, &setup.authority.client(None)).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
}

/// Who the server says that a client is.
fn whoami(stream: &mut TlsStream) -> String {
    stream.write_all(&request(&[b"ACL", b"WHOAMI"])).unwrap();
    match line(stream) {
        head if head.starts_with('$') => line(stream),
        refused => refused,
    }
}

#[test]
fn a_certificate_picks_its_user_also_when_a_session_is_resumed() {
    let setup = setup_with("optional", &[("tls-auth-clients-user", "cn")]);
    let (port, authority) = (setup.port, &setup.authority);
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    for command in [
        &["ACL", "SETUSER", "alice", "on", ">secret", "+@all", "~a*"][..],
        &["ACL", "SETUSER", "bob", "on", "nopass", "+@all"],
        &["CONFIG", "SET", "requirepass", "other"],
    ] {
        assert_eq!(text(&mut plain, command), "OK");
    }
    assert_eq!(text(&mut plain, &["AUTH", "other"]), "OK");
    let config = authority.client(Some(&authority.certify_as("alice")));
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut alice = connect(port, &config).unwrap();
        // Before it has asked for anything.
        let is_there = |list: String| list.contains("user=alice");
        until(|| is_there(text(&mut plain, &["CLIENT", "LIST"])));
        assert_eq!(whoami(&mut alice), "alice");
        assert_eq!(alice.conn.handshake_kind(), Some(kind));
        ask(&mut alice, &[b"SET", b"a", b"1"], b"+OK\r\n");
        alice.write_all(&request(&[b"SET", b"b", b"1"])).unwrap();
        assert!(line(&mut alice).starts_with("-NOPERM"));
        // It may still say that it is somebody else.
        ask(&mut alice, &[b"AUTH", b"bob", b"x"], b"+OK\r\n");
        assert_eq!(whoami(&mut alice), "bob");
        ask(&mut alice, &[b"RESET"], b"+RESET\r\n");
        assert!(whoami(&mut alice).starts_with("-NOAUTH"));
        drop(alice);
        until(|| !text(&mut plain, &["CLIENT", "LIST"]).contains("cmd=reset"));
    }
    for stranger in [Some(authority.certify_as("carol")), None] {
        let mut other = connect(port, &authority.client(stranger.as_ref())).unwrap();
        assert!(whoami(&mut other).starts_with("-NOAUTH"));
    }
    assert_eq!(figure(&mut plain, "acl_access_denied_tls_cert"), 1);
    let log = plain.command(&["ACL", "LOG"]).unwrap().to_string();
    assert!(log.contains("tls-cert") && log.contains("carol"), "{log}");
}

#[test]
fn hello_pushes_and_monitors_pass_as_they_do_in_the_clear() {
    let setup = setup_with("no", &[("requirepass", "secret")]);
    let config = setup.authority.client(None);
    let [mut listens, mut monitors, mut writes] = [(); 3].map(|()| {
        let mut client = connect(setup.port, &config).unwrap();
        client.write_all(&request(&[b"GET", b"key"])).unwrap();
        assert!(line(&mut client).starts_with("-NOAUTH"));
        let hello: &[&[u8]] = &[b"HELLO", b"3", b"AUTH", b"default", b"secret"];
        client.write_all(&request(hello)).unwrap();
        client.write_all(&request(&[b"ECHO", b"end"])).unwrap();
        assert_eq!(line(&mut client), "%7");
        while line(&mut client) != "end" {}
        client
    });
    let confirmed = b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    ask(&mut listens, &[b"SUBSCRIBE", b"c"], confirmed);
    ask(&mut monitors, &[b"MONITOR"], b"+OK\r\n");
    let message = vec![b'm'; 100_000];
    ask(&mut writes, &[b"PUBLISH", b"c", &message], b":1\r\n");
    let mut push = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$100000\r\n".to_vec();
    push.extend_from_slice(&message);
    push.extend_from_slice(b"\r\n");
    expect(&mut listens, &push);
    let seen = line(&mut monitors);
    assert!(seen.contains("\"PUBLISH\" \"c\" \"mmm"), "{}", &seen[..80]);
}

#[test]
fn one_who_takes_no_messages_is_cut_off_at_the_limit_of_its_class() {
    let limit = ("client-output-buffer-limit", "pubsub 2mb 0 0");
    let setup = setup_with("no", &[limit]);
    let mut listens = connect(setup.port, &setup.authority.client(None)).unwrap();
    let confirmed = b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    ask(&mut listens, &[b"SUBSCRIBE", b"c"], confirmed);
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    let message = "m".repeat(1 << 20);
    let publish = ["PUBLISH", "c", &message];
    // The system's own buffers take some, and nobody gets them from then on.
    until(|| plain.command(&publish).unwrap() == Value::Int(0));
    let cut_off = figure(&mut plain, "client_output_buffer_limit_disconnections");
    assert_eq!(cut_off, 1);
}

#[test]
fn clients_whose_handshake_is_not_done_count_and_those_beyond_the_limit_are_refused() {
    let setup = setup_with("no", &[("maxclients", "5")]);
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    until(|| figure(&mut plain, "connected_clients") == 1);
    let half: Vec<TcpStream> = (0..10)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, setup.port)).unwrap();
            stream.write_all(&[22, 3, 1]).ok();
            stream
        })
        .collect();
    until(|| figure(&mut plain, "rejected_connections") == 6);
    assert_eq!(figure(&mut plain, "connected_clients"), 5);
    assert!(connect(setup.port, &setup.authority.client(None)).is_err());
    drop(half);
    until(|| figure(&mut plain, "connected_clients") == 1);
    let mut client = connect(setup.port, &setup.authority.client(None)).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
}

#[test]
fn keys_may_be_encrypted_and_what_is_wrong_is_said() {
    let setup = setup("no");
    let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
    let key = setup
        .shown
        .write_encrypted(setup.folder.path(), "locked", "sesame");
    let with_password = |password| {
        let names = ["CONFIG", "SET", "tls-key-file", key.as_str()];
        [&names[..], &["tls-key-file-pass", password]].concat()
    };
    let refused = refusal(&mut plain, &with_password(""));
    assert!(refused.contains("set tls-key-file-pass"), "{refused}");
    let refused = refusal(&mut plain, &with_password("open"));
    assert!(refused.contains("cannot be decrypted"), "{refused}");
    assert!(!refused.contains("open"), "{refused}");
    assert_eq!(text(&mut plain, &with_password("sesame")), "OK");
    let config = setup.authority.client(None);
    let mut client = connect(setup.port, &config).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
    for (name, value, wanted) in [
        (
            "tls-protocols",
            "TLSv1.1",
            "TLSv1.1 is none of TLSv1.2, TLSv1.3",
        ),
        ("tls-ciphers", "RC4-SHA", "RC4-SHA is none of ECDHE-"),
        ("tls-ciphersuites", "x", "x is none of TLS_"),
        ("tls-ca-cert-file", "/", "tls-ca-cert-file"),
        ("tls-key-file", "", "tls-key-file is not set"),
        ("tls-cert-file", "/nowhere", "No such file"),
        ("tls-auth-clients-user", "DN", "CN, off"),
        ("tls-session-cache-size", "-1", "between 0 and 2147483647"),
    ] {
        // Authorities are read where clients must show certificates.
        let set = ["CONFIG", "SET", "tls-auth-clients", "yes", name, value];
        let refused = refusal(&mut plain, &set);
        assert!(refused.contains(wanted), "{name}: {refused}");
        assert_eq!(setting(&mut plain, "tls-auth-clients"), "no");
    }
    // One version, and one cipher of it.
    let only = [
        "CONFIG",
        "SET",
        "tls-protocols",
        "TLSv1.2",
        "tls-ciphers",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ];
    assert_eq!(text(&mut plain, &only), "OK");
    let mut client = connect(setup.port, &config).unwrap();
    ask(&mut client, &[b"PING"], b"+PONG\r\n");
    let cipher = client.conn.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(cipher, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
    plain.command(&["MULTI"]).unwrap();
    text(&mut plain, &["CONFIG", "SET", "tls-protocols", ""]);
    let refused = plain.command(&["EXEC"]).unwrap().to_string();
    assert!(refused.contains("transaction"), "{refused}");
}

/// The value of a setting.
fn setting(client: &mut Client, name: &str) -> String {
    match client.command(&["CONFIG", "GET", name]).unwrap() {
        Value::Array(pair) => String::from_utf8(pair[1].as_bytes().unwrap().to_vec()).unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_server_without_a_plain_port_starts_and_one_with_bad_settings_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, port) = (Authority::new(), free_port());
    let (certificate, key) = authority.certify().write(folder.path(), "server");
    let socket = folder.path().join("socket");
    let binary = peers::weir().unwrap();
    let command = |more: &[&str]| {
        let mut command = Command::new(&binary);
        command
            .args(["--port", "0", "--save", "", "--dir"])
            .arg(folder.path())
            .args(["--tls-port", &port.to_string(), "--unixsocket"])
            .arg(&socket)
            .args(["--tls-cert-file", &certificate])
            .args(more)
            .stdout(Stdio::null());
        command
    };
    let said = command(&[]).output().unwrap();
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("tls-key-file is not set"), "{said}");
    let with_key = ["--tls-key-file", &key, "--tls-auth-clients", "no"];
    let mut child = command(&with_key).stderr(Stdio::null()).spawn().unwrap();
    let config = authority.client(None);
    until(|| connect(port, &config).is_ok());
    let mut client = connect(port, &config).unwrap();
    ask(&mut client, &[b"SET", b"key", b"x"], b"+OK\r\n");
    let mut beside = UnixStream::connect(&socket).unwrap();
    beside.set_read_timeout(Some(PATIENCE)).unwrap();
    beside.write_all(b"GET key\r\n").unwrap();
    let mut reply = [0; 7];
    beside.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"$1\r\nx\r\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn redis_cli_redis_benchmark_and_redis_py_work_by_tls() {
    let setup = setup("optional");
    let port = setup.port.to_string();
    let trusted = setup.folder.path().join("ca.crt");
    let trusted = trusted.to_str().unwrap();
    let alice = setup.authority.certify_as("alice");
    let (certificate, key) = alice.write(setup.folder.path(), "alice");
    let by_tls = |name: &str, arguments: &[&str]| {
        let binary = Peers::binary(name).unwrap()?;
        let mut command = Command::new(binary);
        command
            .args(["-h", "localhost", "-p", &port, "--tls", "--cacert", trusted])
            .args(arguments);
        Some(run(&mut command).unwrap().trim().to_owned())
    };
    if let Some(said) = by_tls("redis86-cli", &["PING"]) {
        assert_eq!(said, "PONG");
        let shown = ["--cert", &certificate, "--key", &key, "ACL", "WHOAMI"];
        assert_eq!(by_tls("redis86-cli", &shown).unwrap(), "default");
        let mut plain = setup.server.connect(Protocol::Resp2).unwrap();
        text(&mut plain, &["ACL", "SETUSER", "alice", "on", "+@all"]);
        text(
            &mut plain,
            &["CONFIG", "SET", "tls-auth-clients-user", "CN"],
        );
        assert_eq!(by_tls("redis86-cli", &shown).unwrap(), "alice");
    }
    let load = [
        "-n",
        "5000",
        "-c",
        "20",
        "-P",
        "16",
        "-t",
        "set,get,lrange_100",
    ];
    if let Some(said) = by_tls("redis86-benchmark", &[&load[..], &["--csv"]].concat()) {
        let is_right = said.lines().count() > 3 && !said.to_lowercase().contains("error");
        assert!(is_right, "{said}");
    }
    let trusted = format!("ca={trusted}");
    python("redis_py.py", &[&port, "beyond", &trusted])
        .unwrap()
        .said()
        .unwrap();
}

#[test]
fn certificates_made_as_the_guide_says_are_served_and_checked() {
    if Command::new("openssl").arg("version").output().is_err() {
        left_out::note("WEIR_REQUIRE_CLIENTS", "no openssl here").unwrap();
        return;
    }
    let page = std::fs::read_to_string(root().join("docs/guides/tls.md")).unwrap();
    let script = blocks(&page)
        .into_iter()
        .find(|block| block.lines[0].starts_with("openssl "))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder.path())
        .args(["-e", "-c", &script.lines.join("\n")]);
    run(&mut shell).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = free_port();
    let server = server(&[
        ("tls-port", &port.to_string()),
        ("tls-cert-file", &path("weir.crt")),
        ("tls-key-file", &path("weir.key")),
        ("tls-ca-cert-file", &path("ca.crt")),
        ("tls-auth-clients-user", "CN"),
    ]);
    let mut plain = server.connect(Protocol::Resp2).unwrap();
    text(&mut plain, &["ACL", "SETUSER", "alice", "on", "+@all"]);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let config = client_of(&read("ca.crt"), &read("alice.crt"), &read("alice.key"));
    assert_eq!(whoami(&mut connect(port, &config).unwrap()), "alice");
}
