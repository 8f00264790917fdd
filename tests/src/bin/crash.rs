//! Kills a loaded server at random moments, restarts it, and audits what it kept.
//!
//! Producers and consumers retry until they have a reply, and what they were told must be in the
//! streams after the last restart (`exactly_once`). Keepers change lists, sets, sorted sets,
//! hashes, and libraries of functions of their own, whose state they know: after each kill it must
//! be that, to the last field.
//!
//! The run is bounded: a number of cycles, each a fraction of a second long, except for those that
//! wait for a rewrite.
//!
//! usage: crash --server BINARY [--cycles N] [--producers N] [--seed N] [--dir FOLDER]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use redis::{Connection, RedisResult};
use weir_tests::exactly_once::{Clients, Servers};
use weir_tests::keeper;

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

/// The server of the run: killed and started again at the same port.
struct Killed {
    port: u16,
}

impl Servers for Killed {
    fn connect(&self) -> RedisResult<Connection> {
        try_connect(self.port)
    }
}

fn main() -> Result<()> {
    let options = options()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let servers = Arc::new(Killed { port });
    let mut random = options.seed;
    let mut server = start(&options, port)?;
    connect(port, Duration::from_secs(20))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stop = Arc::new(AtomicBool::new(false));
    let mut keepers = Vec::new();
    for number in 0..KEEPERS {
        let stop = Arc::clone(&stop);
        keepers.push(thread::spawn(move || keeper::keep(number, address, &stop)));
    }
    let clients = Clients::start(&servers, options.producers, Duration::ZERO)?;
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
    let kept: Vec<_> = keepers.into_iter().map(thread::JoinHandle::join).collect();
    let audited = clients.stop(&*servers);
    server.kill()?;
    server.wait()?;
    let (mut changes, mut comparisons) = (0, 0);
    for keeper in kept {
        let (replies, compared) = keeper.ok().context("a keeper panicked")??;
        changes += replies;
        comparisons += compared;
    }
    use std::io::Write;
    writeln!(
        std::io::stdout(),
        "{} kills, {changes} acknowledged changes of other types in {comparisons} comparisons, {} \
         (seed {})",
        options.cycles,
        audited?,
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
