//! The weir server: command line, configuration file, start and stop.

mod allocator;
mod cluster_command;
mod command_line;
mod completions;
mod configuration;
mod export;
mod files;
mod group;
mod help;
mod import;
mod logging;
mod manual;
mod panics;
mod pid_file;
mod progress;
mod subcommands;
mod users;

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use console::{Console, Door};
use engine::Engine;
use engine::config::{self, DataConfig, Fsync, SavePoints, ShellConfig};
use persistence::{Config, Load};
use script::LuaHost;
use server::{Clock, Listeners, Options, Shard};

use crate::command_line::Invocation;
use crate::configuration::Configuration;
use crate::logging::Logging;
use crate::pid_file::PidFile;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match command_line::read(std::env::args_os().skip(1)) {
        Ok(Invocation::Serve(configuration)) => match run(*configuration) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        },
        Ok(Invocation::Print(text)) => {
            use std::io::Write;
            // A reader that closed the pipe has seen enough.
            std::io::stdout().write_all(text.as_bytes()).ok();
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error),
    }
}

/// Says what went wrong, and why, unless that has been said already.
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

fn run(configuration: Configuration) -> anyhow::Result<()> {
    let Configuration {
        settings,
        file,
        names,
        warnings,
        idle,
        ..
    } = configuration;
    let (settings, file) = (&settings, &file);
    let config = ShellConfig::resolve(settings);
    let log = Logging::begin(&config)?;
    allocator::give_back()?;
    panics::go_to_the_log();
    server::survive_signals().context("cannot handle signals")?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    for idle in &idle {
        tracing::info!("{idle}");
    }
    let dir = &config.data.dir;
    let data = DataConfig {
        dir: dir
            .canonicalize()
            .with_context(|| format!("the data folder {} (dir)", dir.display()))?,
        ..config.data.clone()
    };
    let save_points = config::Config::resolve(settings).save_points;
    tracing::info!(
        version = help::version(),
        pid = std::process::id(),
        dir = %data.dir.display(),
        configuration = file.as_ref().map_or_else(|| "none".to_owned(), |file| file.display().to_string()),
        kept = kept(&config, &save_points),
        "weir starts"
    );
    if !data.journalling && save_points.is_empty() && config.shared_log.is_none() {
        tracing::warn!(
            "NOTHING IS KEPT: appendonly is no and there are no save points; what clients write is \
             gone when this process ends, unless one of them asks for a snapshot"
        );
    }
    let mut listeners = Listeners::new();
    listeners.tcp(&config.bind, config.port, config.backlog)?;
    listeners.tls(&config.bind, &config.tls, config.backlog)?;
    if let Some(path) = &config.unix_socket {
        listeners.unix(path, config.unix_socket_mode)?;
    }
    anyhow::ensure!(
        !listeners.is_empty(),
        "there is nothing to listen on: set port or tls-port, and bind to an address of this machine, or set \
         unixsocket"
    );
    let door = Door::open(&config.http, config.backlog).context("http-port")?;
    anyhow::ensure!(
        door.is_none() || !config.http.tls || config.tls.port > 0,
        "http-tls is yes, and there is no TLS: set tls-port, tls-cert-file and tls-key-file"
    );
    let io_threads = config.io_threads.map_or_else(cores, NonZeroUsize::get);
    let clock = Clock::start();
    let seed = seed()?;
    let mut engine = Engine::new(settings.clone(), seed, clock.now(), &commands::TABLE);
    engine.server.scripts.set_host(Box::new(LuaHost::new()));
    engine.server.functions.set_host(Box::new(LuaHost::new()));
    users::configure(&mut engine, secret()?)?;
    // Not those that load data: what was kept has the names of the table.
    if let Some(names) = names {
        engine.server.commands = names;
    }
    engine.server.shell.port = config.told_port();
    engine.server.shell.io_threads = io_threads as u32;
    engine.server.shell.run_id = run_id()?;
    if let Some(file) = file {
        engine.server.shell.config_file = file.display().to_string();
    }
    let to_load = settings.clone();
    let kept = Config::of(&data);
    let load = move |load: &Load| {
        let engine = Engine::new(to_load, seed, clock.now(), &commands::TABLE);
        let loaded = persistence::load(engine, &kept, load, clock.now());
        if kept.journalling {
            loaded.with_context(|| format!("cannot serve from {}", kept.folder.display()))
        } else {
            Ok(loaded?)
        }
    };
    let group = config.shared_log.clone();
    let group = group.map(|log| group::config(log, &data.dir)).transpose()?;
    let _pid_file = config.pid_file.as_deref().and_then(PidFile::write);
    let addresses = listeners.addresses().join(" ");
    let ready = move || {
        tracing::info!(addresses, io_threads, "weir is ready");
        // If nobody waits for it, as systemd does, this does nothing.
        if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
            tracing::warn!(%error, "the service manager cannot be told that weir is ready");
        }
    };
    let options = Options {
        io_threads,
        keepalive: config.keepalive,
        allocator: allocator::FIGURES,
    };
    let changed = log.clone();
    let mut shard = Shard::new(engine, clock)
        .on_settings_changed(move |config| changed.settings_changed(config));
    if group.is_some() {
        shard = shard.in_group();
    }
    let shard = Arc::new(shard);
    let fill = move |shard: &Arc<Shard>| match group {
        Some(group) => Ok(shard.join(group, allocator::FIGURES)?),
        None => shard.load(load),
    };
    shard.begin_load();
    let console = match door {
        Some(door) => Some(Console::start(door, Arc::clone(&shard))?),
        None => None,
    };
    server::serve(shard, listeners, options, fill, ready, &|| log.reopen())?;
    if let Some(console) = console {
        console.stop();
    }
    tracing::info!("stopped");
    Ok(())
}

/// Which data survives, and when, in words for the log.
fn kept(config: &ShellConfig, save_points: &SavePoints) -> String {
    if let Some(log) = &config.shared_log {
        return match log.system_user {
            Some(_) => format!("each write is in the log of {} servers", log.replicas),
            None => "in a log for development, which may lose acknowledged entries".to_owned(),
        };
    }
    let data = &config.data;
    if data.journalling {
        return match data.fsync {
            Fsync::Always => "each write is synced before its reply leaves".to_owned(),
            Fsync::EverySecond => "writes are synced each second".to_owned(),
            Fsync::Never => "writes are synced when the system does so".to_owned(),
        };
    }
    match save_points.is_empty() {
        true => "nothing".to_owned(),
        false => format!("snapshots (save {save_points})"),
    }
}

/// The number of I/O threads if `io-threads` does not say.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8))
}

pub(crate) fn seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    fill_random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// What passwords that the server makes come from.
fn secret() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

fn run_id() -> anyhow::Result<String> {
    let mut bytes = [0; 20];
    fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn fill_random(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes).context("cannot get random numbers from the system")
}
