//! The weir server: command line, configuration file, start and stop.

mod command_line;
mod completions;
mod files;
mod help;
mod manual;
mod panics;
mod subcommands;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use engine::Engine;
use engine::config::Settings;
use server::{Clock, Listeners, Options, Shard, TornTail};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::command_line::Invocation;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match command_line::read(std::env::args_os().skip(1)) {
        Ok(Invocation::Serve(settings)) => match run(*settings) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        },
        Ok(Invocation::Print(text)) => {
            use std::io::Write;
            // A reader that went away has seen enough.
            std::io::stdout().write_all(text.as_bytes()).ok();
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error),
    }
}

/// Says what went wrong, and why as far as that is not said yet.
fn complain(error: &anyhow::Error) -> ExitCode {
    use std::io::Write;
    let mut message = "weir".to_owned();
    for cause in error.chain().map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    writeln!(std::io::stderr(), "{message}").ok();
    ExitCode::FAILURE
}

fn run(settings: Settings) -> anyhow::Result<()> {
    let text = |name: &str| settings.value(name).unwrap_or_default().to_owned();
    let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
    let (level, log) = reload::Layer::new(log_level(&settings));
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_ansi(std::io::stdout().is_terminal());
    tracing_subscriber::registry()
        .with(level)
        .with(lines)
        .init();
    panics::go_to_the_log();
    let mut listeners = Listeners::new();
    let port = number("port") as u16;
    if port > 0 {
        listeners.tcp(&text("bind"), port, number("tcp-backlog") as i32)?;
    }
    if !text("unixsocket").is_empty() {
        let mode = u32::from_str_radix(&text("unixsocketperm"), 8)
            .context("unixsocketperm must be an octal number such as 770")?;
        listeners.unix(Path::new(&text("unixsocket")), mode)?;
    }
    let io_threads = match number("io-threads") {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8)),
        threads => threads as usize,
    };
    let keepalive = Duration::from_secs(number("tcp-keepalive"));
    let clock = Clock::start();
    let mut engine = Engine::new(settings.clone(), seed()?, clock.now());
    engine.node.shell.port = port;
    engine.node.shell.io_threads = io_threads as u32;
    engine.node.shell.run_id = run_id()?;
    let snapshot = Path::new(&text("dir")).join(text("dbfilename"));
    let journal = match text("appendonly").as_str() {
        "yes" => Some(open_journal(&mut engine, &text, &snapshot, clock)?),
        _ => {
            server::take_over(&mut engine, &snapshot, clock.now())?;
            None
        }
    };
    tracing::info!(version = help::version(), port, io_threads, "weir is ready");
    // Without somebody who waits for it, as under systemd, this says nothing.
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "who started weir cannot be told that it is ready");
    }
    let options = Options {
        io_threads,
        keepalive,
        used_memory,
    };
    server::serve(
        Shard::new(engine, clock, journal, snapshot).on_settings_changed(move |settings| {
            // It fails only once the log is gone, and then nobody misses it.
            log.reload(log_level(settings)).ok();
        }),
        listeners,
        options,
    )?;
    tracing::info!("stopped");
    Ok(())
}

fn open_journal(
    engine: &mut Engine,
    text: &impl Fn(&str) -> String,
    snapshot: &Path,
    clock: Clock,
) -> anyhow::Result<server::FileJournal> {
    let folder = Path::new(&text("dir")).join(text("appenddirname"));
    let policy = server::sync_policy(Some(&text("appendfsync")));
    let torn_tail = match text("aof-load-truncated").as_str() {
        "yes" => TornTail::Cut,
        _ => TornTail::Refuse,
    };
    server::open(
        engine,
        &folder,
        &text("appendfilename"),
        snapshot,
        policy,
        torn_tail,
        clock.now(),
    )
    .with_context(|| format!("cannot serve from {}", folder.display()))
}

fn log_level(settings: &Settings) -> LevelFilter {
    match settings.value("loglevel") {
        Some("debug") => LevelFilter::DEBUG,
        Some("warning") => LevelFilter::WARN,
        Some("nothing") => LevelFilter::OFF,
        _ => LevelFilter::INFO,
    }
}

/// Bytes allocated, as the allocator counts them.
fn used_memory() -> u64 {
    tikv_jemalloc_ctl::epoch::advance().ok();
    tikv_jemalloc_ctl::stats::allocated::read().map_or(0, |bytes| bytes as u64)
}

fn seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    fill_random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn run_id() -> anyhow::Result<String> {
    let mut bytes = [0; 20];
    fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn fill_random(bytes: &mut [u8]) -> anyhow::Result<()> {
    use std::io::Read;
    let mut source = std::fs::File::open("/dev/urandom").context("no source of random numbers")?;
    source.read_exact(bytes).context("no random numbers")
}
