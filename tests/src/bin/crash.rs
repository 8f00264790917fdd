//! Kills a loaded server at random moments, restarts it, and audits what it kept.
//!
//! Producers append with idempotent IDs and retry the same ID until they have its reply; consumers
//! read in a group and acknowledge. After the last restart every acknowledged append must be in its
//! stream exactly once, in the order of its producer, under the ID that was replied; and no
//! acknowledged entry may be pending. Keepers change lists, sets, sorted sets, hashes, and
//! libraries of functions of their own, whose state they know: after each kill it must be that, to
//! the last field.
//!
//! The run is bounded: a number of cycles, each a fraction of a
//! second long, except for those that wait for a rewrite.
//!
//! usage: crash --server BINARY [--cycles N] [--producers N] [--seed N] [--dir FOLDER]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use redis::{Connection, RedisResult, Value};
use weir_tests::keeper;

const STREAMS: u64 = 4;
const GROUP: &str = "workers";

/// Clients that change values of other types.
const KEEPERS: u64 = 8;

/// In one of this many cycles the server lives long enough for a rewrite of the journal, so that
/// some restarts begin from one and the journal does not grow for ever.
const REWRITE_CYCLES: u64 = 20;

struct Options {
    server: PathBuf,
    cycles: u64,
    producers: u64,
    seed: u64,
    dir: PathBuf,
}

/// What the clients were told.
#[derive(Default)]
struct Told {
    /// By producer: the ID that was replied for each message, in order.
    appended: Mutex<BTreeMap<u64, Vec<String>>>,
    /// By stream: entries whose acknowledgement was replied.
    acknowledged: Mutex<BTreeMap<u64, BTreeSet<String>>>,
    retries: AtomicU64,
}

fn main() -> Result<()> {
    let options = options()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let told = Arc::new(Told::default());
    let stop = Arc::new(AtomicBool::new(false));
    let mut random = options.seed;
    let mut server = start(&options, port)?;
    let mut admin = connect(port, Duration::from_secs(20))?;
    for stream in 0..STREAMS {
        let mut create = redis::cmd("XGROUP");
        create
            .arg("CREATE")
            .arg(format!("s{stream}"))
            .arg(GROUP)
            .arg("0")
            .arg("MKSTREAM");
        create.query::<()>(&mut admin).context("XGROUP CREATE")?;
        let mut configure = redis::cmd("XCFGSET");
        configure
            .arg(format!("s{stream}"))
            .arg("IDMP-DURATION")
            .arg(3600)
            .arg("IDMP-MAXSIZE")
            .arg(1000);
        configure.query::<()>(&mut admin).context("XCFGSET")?;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut keepers = Vec::new();
    for number in 0..KEEPERS {
        let stop = Arc::clone(&stop);
        keepers.push(thread::spawn(move || keeper::keep(number, address, &stop)));
    }
    let mut clients = Vec::new();
    for number in 0..options.producers {
        let (told, stop) = (Arc::clone(&told), Arc::clone(&stop));
        clients.push(thread::spawn(move || produce(number, port, &told, &stop)));
    }
    for stream in 0..STREAMS {
        let (told, stop) = (Arc::clone(&told), Arc::clone(&stop));
        clients.push(thread::spawn(move || consume(stream, port, &told, &stop)));
    }
    for cycle in 1..=options.cycles {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(20 + (random >> 33) % 180));
        if cycle % REWRITE_CYCLES == 0 {
            let_rewrite_end(port)?;
        }
        server.kill().context("kill -9")?;
        server.wait()?;
        server = start(&options, port)?;
        connect(port, Duration::from_secs(60)).with_context(|| format!("restart {cycle}"))?;
    }
    thread::sleep(Duration::from_millis(200));
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        ensure!(client.join().is_ok(), "a client panicked");
    }
    let kept: Vec<_> = keepers.into_iter().map(thread::JoinHandle::join).collect();
    let audited = audit(port, &told);
    server.kill()?;
    server.wait()?;
    let (mut changes, mut comparisons) = (0, 0);
    for keeper in kept {
        let (replies, compared) = keeper.ok().context("a keeper panicked")??;
        changes += replies;
        comparisons += compared;
    }
    let (appended, acknowledged) = audited?;
    let retries = told.retries.load(Ordering::Relaxed);
    use std::io::Write;
    writeln!(
        std::io::stdout(),
        "{} kills, {appended} acknowledged appends, {acknowledged} acknowledged entries, {retries} retries, \
         {changes} acknowledged changes of other types in {comparisons} comparisons: 0 lost, 0 doubled \
         (seed {})",
        options.cycles,
        options.seed,
    )?;
    Ok(())
}

fn options() -> Result<Options> {
    let mut options = Options {
        server: PathBuf::new(),
        cycles: 20,
        producers: 50,
        seed: 1,
        dir: std::env::temp_dir().join(format!("weir-crash-{}", std::process::id())),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--server" => options.server = value.into(),
            "--cycles" => options.cycles = value.parse()?,
            "--producers" => options.producers = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--dir" => options.dir = value.into(),
            _ => bail!("unknown option {arg}"),
        }
    }
    ensure!(
        options.server.exists(),
        "--server must name the binary to test"
    );
    std::fs::create_dir_all(&options.dir)?;
    Ok(options)
}

fn start(options: &Options, port: u16) -> Result<Child> {
    Command::new(&options.server)
        .args([
            "--port",
            &port.to_string(),
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .args(["--loglevel", "warning", "--dir"])
        .arg(&options.dir)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the server")
}

/// Connects as soon as the server answers.
fn connect(port: u16, patience: Duration) -> Result<Connection> {
    let deadline = Instant::now() + patience;
    loop {
        match try_connect(port) {
            Ok(connection) => return Ok(connection),
            Err(error) if Instant::now() > deadline => return Err(error).context("no answer"),
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn try_connect(port: u16) -> RedisResult<Connection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    redis::cmd("PING").query::<()>(&mut connection)?;
    Ok(connection)
}

/// Waits until a rewrite of the journal has ended since the server started, or none is in progress.
/// (Under this load the next one may begin at once.)
fn let_rewrite_end(port: u16) -> Result<()> {
    let mut connection = connect(port, Duration::from_secs(20))?;
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let figures: String = redis::cmd("INFO")
            .arg("persistence")
            .query(&mut connection)?;
        if figures.contains("aof_rewrite_in_progress:0") || !figures.contains("aof_rewrites:0\r") {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "a rewrite takes over a minute");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a request until it is answered, over any number of restarts.
fn insist(
    port: u16,
    connection: &mut Option<Connection>,
    request: &redis::Cmd,
    told: &Told,
) -> Result<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(open) = connection {
            match request.query::<Value>(open) {
                Ok(reply) => return Ok(reply),
                Err(error) if error.is_io_error() || error.is_connection_dropped() => {}
                Err(error) => return Err(error).context("refused"),
            }
            *connection = None;
            told.retries.fetch_add(1, Ordering::Relaxed);
        }
        ensure!(Instant::now() < deadline, "no answer within a minute");
        *connection = try_connect(port).ok();
        if connection.is_none() {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn produce(number: u64, port: u16, told: &Told, stop: &AtomicBool) {
    let mut connection = None;
    let mut ids = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let message = ids.len();
        let mut append = redis::cmd("XADD");
        append
            .arg(format!("s{}", number % STREAMS))
            .arg("IDMP")
            .arg(format!("p{number}"));
        append
            .arg(message)
            .arg("*")
            .arg("producer")
            .arg(number)
            .arg("message")
            .arg(message);
        match insist(port, &mut connection, &append, told) {
            Ok(reply) => ids.push(text(&reply)),
            Err(error) => panic!("XADD: {error:#}"),
        }
    }
    told.appended
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .insert(number, ids);
}

fn consume(stream: u64, port: u16, told: &Told, stop: &AtomicBool) {
    let mut connection = None;
    let key = format!("s{stream}");
    let mut done = BTreeSet::new();
    // After a restart, what was delivered and not acknowledged comes again under "0".
    let mut from = "0";
    while !stop.load(Ordering::Relaxed) {
        let before = told.retries.load(Ordering::Relaxed);
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(GROUP)
            .arg("c")
            .arg("COUNT")
            .arg(20)
            .arg("STREAMS")
            .arg(&key)
            .arg(from);
        let reply = match insist(port, &mut connection, &read, told) {
            Ok(reply) => reply,
            Err(error) => panic!("XREADGROUP: {error:#}"),
        };
        let ids = entry_ids(&reply);
        if ids.is_empty() {
            from = if told.retries.load(Ordering::Relaxed) == before {
                ">"
            } else {
                "0"
            };
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        let mut acknowledge = redis::cmd("XACK");
        acknowledge.arg(&key).arg(GROUP).arg(&ids);
        if let Err(error) = insist(port, &mut connection, &acknowledge, told) {
            panic!("XACK: {error:#}");
        }
        done.extend(ids);
    }
    told.acknowledged
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .insert(stream, done);
}

/// The IDs in a reply of XREADGROUP.
fn entry_ids(reply: &Value) -> Vec<String> {
    let Value::Array(streams) = reply else {
        return Vec::new();
    };
    let Some(Value::Array(stream)) = streams.first() else {
        return Vec::new();
    };
    let Some(Value::Array(entries)) = stream.get(1) else {
        return Vec::new();
    };
    let id = |entry: &Value| match entry {
        Value::Array(parts) => parts.first().map(text),
        _ => None,
    };
    entries.iter().filter_map(id).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Compares what the server holds with what it acknowledged.
fn audit(port: u16, told: &Told) -> Result<(usize, usize)> {
    let mut connection = connect(port, Duration::from_secs(60))?;
    let mut found: BTreeMap<u64, Vec<(usize, String)>> = BTreeMap::new();
    let mut pending = BTreeMap::new();
    for stream in 0..STREAMS {
        let key = format!("s{stream}");
        let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
            .arg(&key)
            .arg("-")
            .arg("+")
            .query(&mut connection)?;
        for (id, fields) in entries {
            let [_, producer, _, message] = &fields[..] else {
                bail!("entry {id} of {key} is {fields:?}")
            };
            found
                .entry(producer.parse()?)
                .or_default()
                .push((message.parse()?, id));
        }
        let left: Vec<(String, String, u64, u64)> = redis::cmd("XPENDING")
            .arg(&key)
            .arg(GROUP)
            .arg("-")
            .arg("+")
            .arg(1_000_000)
            .query(&mut connection)?;
        pending.insert(
            stream,
            left.into_iter().map(|(id, ..)| id).collect::<BTreeSet<_>>(),
        );
    }
    let appended = told
        .appended
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    for (producer, ids) in appended.iter() {
        let kept = found.remove(producer).unwrap_or_default();
        for (position, (message, id)) in kept.iter().enumerate() {
            ensure!(
                *message == position,
                "producer {producer}: message {message} at place {position} ({id})"
            );
            ensure!(
                ids.get(position) == Some(id),
                "producer {producer}: message {message} has ID {id}, told {:?}",
                ids.get(position)
            );
        }
        ensure!(
            kept.len() == ids.len(),
            "producer {producer}: {} acknowledged, {} kept",
            ids.len(),
            kept.len()
        );
    }
    ensure!(found.is_empty(), "entries of unknown producers: {found:?}");
    let acknowledged = told
        .acknowledged
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    for (stream, done) in acknowledged.iter() {
        let again: Vec<_> = done.intersection(&pending[stream]).collect();
        ensure!(
            again.is_empty(),
            "stream {stream}: acknowledged, yet pending: {again:?}"
        );
    }
    Ok((
        appended.values().map(Vec::len).sum(),
        acknowledged.values().map(BTreeSet::len).sum(),
    ))
}
