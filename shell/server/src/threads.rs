//! The threads: one runtime each, connections dealt out in turn.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

use crate::connection::{Connection, Scratch};
use crate::figures;
use crate::kicker::Kicker;
use crate::listen::{Listeners, Stream};
use crate::shard::Shard;
use crate::{packer, timer};

/// How connections are served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that serve connections; at least 1.
    pub io_threads: usize,
    /// How long a TCP connection may be silent before its peer is probed; zero: never.
    pub keepalive: Duration,
    /// Bytes allocated by the process.
    pub used_memory: fn() -> u64,
}

/// A connection on its way to the thread that will serve it.
enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// Serves until a signal or `SHUTDOWN` ends it.
///
/// # Errors
/// If a thread or a runtime cannot be made.
pub fn serve(shard: Shard, listeners: Listeners, options: Options) -> io::Result<()> {
    let shard = Arc::new(shard);
    figures::begin(&mut shard.lock().engine.node.shell, (options.used_memory)());
    let mut senders = Vec::new();
    let mut handles = Vec::new();
    for number in 1..options.io_threads.max(1) {
        let (sender, receiver) = unbounded_channel();
        senders.push(sender);
        let shard = Arc::clone(&shard);
        let run = move || serve_thread(receiver, &shard, options);
        handles.push(
            thread::Builder::new()
                .name(format!("io-{number}"))
                .spawn(run)?,
        );
    }
    let (sender, receiver) = unbounded_channel();
    senders.push(sender);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let unix_path = listeners.unix.as_ref().map(|(_, path)| path.clone());
    let ended = local.block_on(&runtime, async {
        spawn_local(serve_connections(receiver, Arc::clone(&shard), options));
        spawn_local(timer::run(Arc::clone(&shard), options.used_memory));
        spawn_local(packer::run(Arc::clone(&shard)));
        let senders = Rc::new(senders);
        for listener in listeners.tcp {
            spawn_local(accept_tcp(
                TcpListener::from_std(listener)?,
                Rc::clone(&senders),
            ));
        }
        if let Some((listener, _)) = listeners.unix {
            spawn_local(accept_unix(
                UnixListener::from_std(listener)?,
                Rc::clone(&senders),
            ));
        }
        stop_signal(&shard).await
    });
    shard.stop();
    drop(local);
    drop(runtime);
    for handle in handles {
        if handle.join().is_err() {
            tracing::error!("an I/O thread panicked");
        }
    }
    shard.close_journal();
    if let Some(path) = unix_path {
        // A socket file that somebody removed already is no trouble.
        std::fs::remove_file(path).ok();
    }
    ended
}

async fn stop_signal(shard: &Shard) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // A write beyond the limit on the size of files is an error of that write, not the end of the server.
    let _file_too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    loop {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM received, stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT received, stopping"),
            () = shard.stop_asked() => {
                tracing::info!("SHUTDOWN received, stopping");
                return Ok(());
            }
        }
        if shard.save_before_stop() {
            return Ok(());
        }
    }
}

fn serve_thread(receiver: UnboundedReceiver<Accepted>, shard: &Arc<Shard>, options: Options) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "an I/O thread could not start");
            return;
        }
    };
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::select! {
            () = serve_connections(receiver, Arc::clone(shard), options) => {}
            () = shard.stopped() => {}
        }
    });
}

async fn serve_connections(
    mut receiver: UnboundedReceiver<Accepted>,
    shard: Arc<Shard>,
    options: Options,
) {
    let gate = shard.gate();
    if let Some(gate) = &gate {
        spawn_local(gate.run());
    }
    let kicker = Kicker::default();
    spawn_local(kicker.clone().run(Arc::clone(&shard)));
    let scratch = Scratch::new(gate, kicker);
    while let Some(accepted) = receiver.recv().await {
        let stream = match accepted {
            Accepted::Tcp(stream) => Stream::tcp(stream, options.keepalive),
            Accepted::Unix(stream) => Stream::unix(stream),
        };
        match stream {
            Ok(stream) => {
                let opened = Connection::open(Arc::clone(&shard), Rc::clone(&scratch), stream);
                if let Some(connection) = opened {
                    spawn_local(connection.serve());
                }
            }
            Err(error) => tracing::debug!(%error, "a connection was lost before it was served"),
        }
    }
}

async fn accept_tcp(listener: TcpListener, threads: Rc<Vec<UnboundedSender<Accepted>>>) {
    let mut turn = 0;
    loop {
        match listener
            .accept()
            .await
            .and_then(|(stream, _)| stream.into_std())
        {
            Ok(stream) => deal(&threads, &mut turn, Accepted::Tcp(stream)),
            Err(error) => pause(&error).await,
        }
    }
}

async fn accept_unix(listener: UnixListener, threads: Rc<Vec<UnboundedSender<Accepted>>>) {
    let mut turn = 0;
    loop {
        match listener
            .accept()
            .await
            .and_then(|(stream, _)| stream.into_std())
        {
            Ok(stream) => deal(&threads, &mut turn, Accepted::Unix(stream)),
            Err(error) => pause(&error).await,
        }
    }
}

fn deal(threads: &[UnboundedSender<Accepted>], turn: &mut usize, accepted: Accepted) {
    *turn = (*turn + 1) % threads.len();
    if threads[*turn].send(accepted).is_err() {
        tracing::error!("an I/O thread is gone");
    }
}

/// A failed accept (no file descriptors left, say) is not tried again at once.
async fn pause(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
