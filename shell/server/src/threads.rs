//! The threads: those that serve connections, and the one that waits for signals.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use engine::server::ThreadFigures;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::accept::Acceptor;
use crate::changes;
use crate::figures;
use crate::io_thread::IoThread;
use crate::listen::Listeners;
use crate::loading::{self, Failed, UNNOTICED};
use crate::memory::{Allocator, Meter};
use crate::migrator;
use crate::packer;
use crate::preparer;
use crate::shard::Shard;
use crate::upkeep::{self, Stop};

/// How connections are served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that serve connections; at least 1.
    pub io_threads: usize,
    /// How long a TCP connection may be silent before its peer is probed; zero: never.
    pub keepalive: Duration,
    /// How memory is counted.
    pub allocator: Allocator,
}

/// Serves until a signal or `SHUTDOWN` ends it. `fill` gives the shard its data ([`Shard::load`],
/// [`Shard::join`]); clients that need it earlier are told to wait. `ready` is called once it is
/// there, `reopen_logs` at SIGHUP.
///
/// # Errors
/// If a thread or what it needs cannot be made, those of `fill`, or if the log that is shared with
/// others cannot be trusted any more.
pub fn serve<E: From<io::Error> + Send + 'static>(
    shard: Arc<Shard>,
    listeners: Listeners,
    options: Options,
    fill: impl FnOnce(&Arc<Shard>) -> Result<(), E> + Send + 'static,
    ready: impl FnOnce() + Send + 'static,
    reopen_logs: &dyn Fn(),
) -> Result<(), E> {
    shard.begin_load();
    let mut state = shard.lock();
    let shell = &mut state.engine.server.shell;
    figures::begin(shell, (options.allocator.used)());
    let unix_path = listeners.unix.as_ref().map(|(_, path)| path.clone());
    shell.listeners = figures::listeners(&listeners.places(), unix_path.as_deref());
    shell.threads = vec![ThreadFigures::default(); options.io_threads.max(1)];
    drop(state);
    shard.identity.replace(listeners.identity.clone());
    let mut signals = Signals::new(SIGNALS)?;
    shard.stops_by(signals.handle());
    let failed = Failed::new();
    let (is_loaded, loaded) = mpsc::channel();
    let (filled, failure) = (Arc::clone(&shard), Arc::clone(&failed));
    // Nobody waits for its end: if the server stops earlier, the load has changed nothing.
    spawn("weir-load".to_owned(), move || {
        loading::run(&filled, fill, ready, &failure);
        is_loaded.send(()).ok();
    })?;
    loaded.recv_timeout(UNNOTICED).ok();
    if let Some(error) = failed.take() {
        return Err(error);
    }
    let (changes, asked) = mpsc::channel();
    shard.changes_go_to(changes);
    let io_threads = (0..options.io_threads.max(1))
        .map(|number| IoThread::new(number, Arc::clone(&shard), options.allocator));
    let mut io_threads = io_threads.collect::<io::Result<Vec<IoThread>>>()?;
    let mailboxes: Vec<_> = io_threads.iter().map(IoThread::mailbox).collect();
    shard.lock().set_mailboxes(&mailboxes);
    if let Some(first) = io_threads.first_mut() {
        first.accept_for(mailboxes, Acceptor::new(listeners, options.keepalive))?;
    }
    let mut handles = Vec::new();
    for (number, io_thread) in io_threads.into_iter().enumerate() {
        handles.push(spawn(format!("weir-io-{number}"), || io_thread.run())?);
    }
    let stop_upkeep = Arc::new(Stop::default());
    let (kept_up, stop) = (Arc::clone(&shard), Arc::clone(&stop_upkeep));
    let upkeep = spawn("weir-upkeep".to_owned(), move || {
        upkeep::run(&kept_up, options.allocator, &stop)
    })?;
    let (stop_packer, stop) = mpsc::channel();
    let packed = Arc::clone(&shard);
    let packer = spawn("weir-packer".to_owned(), move || {
        packer::run(&packed, &stop)
    })?;
    let drops = Arc::clone(&shard);
    let dropper = spawn("weir-dropper".to_owned(), move || {
        let meter = Meter::new(options.allocator);
        let give_back = options.allocator.give_back;
        drops.dropper.run(meter, &drops.untold, give_back);
    })?;
    let prepares = Arc::clone(&shard);
    let preparer = spawn("weir-preparer".to_owned(), move || {
        preparer::run(&prepares, Meter::new(options.allocator));
    })?;
    shard.lock().engine.server.shell.prepares = true;
    let migrates = Arc::clone(&shard);
    // Nobody waits for its end: it may wait for another server.
    spawn("weir-migrator".to_owned(), move || {
        migrator::run(&migrates, Meter::new(options.allocator));
    })?;
    let changed = Arc::clone(&shard);
    let settings = spawn("weir-settings".to_owned(), move || {
        changes::run(&changed, &asked)
    })?;
    wait_for_stop(&shard, &mut signals, reopen_logs);
    shard.leave(options.allocator);
    shard.stop();
    stop_upkeep.stop(&shard);
    shard.dropper.stop();
    shard.preparer.stop();
    shard.migrator.stop();
    shard.end_changes();
    drop(stop_packer);
    for handle in handles
        .into_iter()
        .chain([upkeep, packer, dropper, preparer, settings])
    {
        if handle.join().is_err() {
            tracing::error!("a thread panicked");
        }
    }
    shard.journal.close();
    if let Some(path) = unix_path {
        // It does not matter if somebody has already removed the socket file.
        std::fs::remove_file(path).ok();
    }
    if let Some(error) = failed.take() {
        return Err(error);
    }
    match shard.why_halted() {
        Some(why) => Err(io::Error::other(why).into()),
        None => Ok(()),
    }
}

/// Keeps SIGHUP, SIGUSR1 and SIGUSR2 from ending the process before it serves.
///
/// # Errors
/// What the system says.
pub fn survive_signals() -> io::Result<()> {
    for signal in [SIGHUP, SIGUSR1, SIGUSR2] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// The signals that are handled. Two end the server, and one reopens the log file. The others are
/// handled so that they do not end the server: a write beyond the limit on file sizes is an error
/// of that write, and SIGUSR1 and SIGUSR2 mean nothing here.
const SIGNALS: [i32; 6] = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXFSZ];

fn wait_for_stop(shard: &Shard, signals: &mut Signals, reopen_logs: &dyn Fn()) {
    for signal in signals.forever() {
        match signal {
            SIGTERM => tracing::info!("SIGTERM received, stopping"),
            SIGINT => tracing::info!("SIGINT received, stopping"),
            SIGHUP => {
                reopen_logs();
                continue;
            }
            SIGUSR1 | SIGUSR2 => {
                tracing::info!(signal, "a signal without a meaning here is ignored");
                continue;
            }
            _ => continue,
        }
        if shard.save_before_stop() {
            return;
        }
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(run)
}
