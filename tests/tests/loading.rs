//! While data is loaded, clients are told to wait, and can see the progress.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use weir_tests::{http, peers};

/// Requests in the journal: as many as take some time, whatever the build.
const REQUESTS: usize = 400_000;

/// How long the whole may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that is stopped when it is dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Writes a journal as Redis would, which takes a while to load.
fn write_journal(data: &Path) {
    let folder = data.join("appendonlydir");
    fs::create_dir(&folder).unwrap();
    let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    fs::write(folder.join("appendonly.aof.manifest"), manifest).unwrap();
    let file = File::create(folder.join("appendonly.aof.1.incr.aof")).unwrap();
    let mut out = BufWriter::new(file);
    for number in 0..REQUESTS {
        let key = format!("key:{number:08}");
        write!(out, "*3\r\n$3\r\nSET\r\n$12\r\n{key}\r\n$12\r\n{key}\r\n").unwrap();
    }
    out.flush().unwrap();
}

/// Starts a server without waiting for the load; returns a connection to it.
fn start(data: &Path, more: &[&str]) -> (Started, BufReader<TcpStream>) {
    let port = http::free_port().unwrap();
    let mut command = Command::new(peers::weir().unwrap());
    command
        .args(["--port", &port.to_string(), "--dir", data.to_str().unwrap()])
        .args(["--enable-debug-command", "yes"])
        .args(more)
        .stdout(File::create(data.join("log")).unwrap());
    let started = Started(command.spawn().unwrap());
    let begun = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return (started, BufReader::new(stream));
            }
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    }
}

/// Sends an inline request; the reply, a bulk string without its head.
fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> String {
    stream
        .get_mut()
        .write_all(format!("{request}\r\n").as_bytes())
        .unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let Some(length) = line.strip_prefix('$') else {
        return line.trim_end().to_owned();
    };
    let Ok(length) = length.trim_end().parse::<usize>() else {
        return line.trim_end().to_owned();
    };
    let mut body = vec![0; length + 2];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap().trim_end().to_owned()
}

/// A field of INFO.
fn field(info: &str, name: &str) -> Option<String> {
    let mut lines = info.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned()))
}

#[test]
fn clients_are_told_of_a_load_and_served_behind_it() {
    let data = tempfile::tempdir().unwrap();
    write_journal(data.path());
    let (started, mut client) = start(data.path(), &[]);

    let info = ask(&mut client, "INFO persistence");
    assert_eq!(field(&info, "loading").as_deref(), Some("1"), "{info}");
    assert_eq!(field(&info, "async_loading").as_deref(), Some("0"));
    for name in [
        "start_time",
        "total_bytes",
        "loaded_bytes",
        "loaded_perc",
        "eta_seconds",
    ] {
        assert!(
            field(&info, &format!("loading_{name}")).is_some(),
            "{name}: {info}"
        );
    }
    let refused = "-LOADING Redis is loading the dataset in memory";
    for request in [
        "GET key:00000000",
        "PING",
        "SAVE",
        "FLUSHALL",
        "XADD s * f v",
    ] {
        assert_eq!(ask(&mut client, request), refused, "{request}");
    }
    for request in ["DEBUG RELOAD", "DEBUG RELOAD NOSAVE", "DEBUG LOADAOF"] {
        assert_eq!(ask(&mut client, request), refused, "{request}");
    }
    let answer = ask(&mut client, "CONFIG SET appendonly no");
    assert!(answer.ends_with("the data is being loaded"), "{answer}");
    assert_eq!(ask(&mut client, "MULTI"), "+OK");
    assert_eq!(ask(&mut client, "GET key:00000000"), refused);
    assert!(ask(&mut client, "EXEC").starts_with("-EXECABORT"));
    assert_eq!(ask(&mut client, "CLIENT SETNAME me"), "+OK");

    let begun = Instant::now();
    while ask(&mut client, "PING") == refused {
        assert!(begun.elapsed() < PATIENCE);
    }
    let info = ask(&mut client, "INFO persistence");
    assert_eq!(field(&info, "loading").as_deref(), Some("0"));
    assert_eq!(field(&info, "aof_enabled").as_deref(), Some("1"));
    assert_eq!(ask(&mut client, "DBSIZE"), format!(":{REQUESTS}"));
    assert_eq!(
        ask(&mut client, "CLIENT GETNAME"),
        "me",
        "the connection goes on"
    );
    assert_eq!(ask(&mut client, "SET later value"), "+OK");
    let log = fs::read_to_string(data.path().join("log")).unwrap();
    assert!(
        log.contains("data loaded") && log.contains("streams=0"),
        "{log}"
    );

    drop(started);
    let (_started, mut client) = start(data.path(), &[]);
    let begun = Instant::now();
    while ask(&mut client, "GET later") == refused {
        assert!(begun.elapsed() < PATIENCE);
    }
    assert_eq!(
        ask(&mut client, "GET later"),
        "value",
        "it was in the journal"
    );
}

#[test]
fn a_server_that_still_loads_stops_and_leaves_the_disk_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    write_journal(data.path());
    let journal = data.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let before = fs::metadata(&journal).unwrap().len();
    let (mut started, mut client) = start(data.path(), &[]);
    // With SAVE, what is not loaded yet would take the place of a snapshot.
    let stream = client.get_mut();
    stream.write_all(b"SHUTDOWN SAVE\r\n").unwrap();
    assert!(started.0.wait().unwrap().success());
    assert_eq!(fs::metadata(&journal).unwrap().len(), before);
    assert!(!data.path().join("dump.rdb").exists());
    let log = fs::read_to_string(data.path().join("log")).unwrap();
    assert!(!log.contains("data loaded"), "{log}");
}

#[test]
fn http_says_that_the_server_is_alive_and_not_ready_until_it_has_its_data() {
    let data = tempfile::tempdir().unwrap();
    write_journal(data.path());
    let http_port = http::free_port().unwrap();
    let at = SocketAddr::from(([127, 0, 0, 1], http_port));
    let (_started, _client) = start(data.path(), &["--http-port", &http_port.to_string()]);
    let begun = Instant::now();
    let mut while_loading = 0;
    loop {
        assert!(begun.elapsed() < PATIENCE);
        // It may not listen yet.
        let Ok(ready) = http::get(at, "/readyz") else {
            assert_eq!(while_loading, 0, "it listens from the first answer on");
            continue;
        };
        if ready.status == 200 {
            assert_eq!(ready.body, "ready\n");
            break;
        }
        assert_eq!(ready.status, 503);
        assert!(ready.body.starts_with("loading"), "{}", ready.body);
        assert_eq!(http::get(at, "/healthz").unwrap().body, "ok\n");
        while_loading += 1;
    }
    assert!(while_loading > 0);
    let metrics = http::get(at, "/metrics").unwrap().body;
    for sample in ["\nweir_ready 1\n", "\nweir_loading 0\n"] {
        assert!(metrics.contains(sample), "{sample}");
    }
}
