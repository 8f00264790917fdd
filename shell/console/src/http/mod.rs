//! HTTP: a thread that listens, and connections that are served by it.
//!
//! `guard` refuses what no user may have sent, `credentials` says who calls, by a password or one
//! of the `tokens`, and `answer` is what goes back. Paths and what they mean are in
//! [`crate::routes`].

mod answer;
mod connection;
mod credentials;
mod guard;
mod tokens;

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::{io, mem};

use engine::config::HttpConfig;
use server::{ListenError, Listeners, Shard};
use tokio::net::TcpListener as TokioListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::limits::{CONNECTIONS_MAX, END_TIME};
use connection::Served;

pub(crate) use answer::{Answer, Body, Fault, Told};
pub(crate) use connection::{Call, Caller};

/// Threads that walk through views beside the one that serves.
const WALKING_THREADS: usize = 2;

/// The console's thread, while it runs.
#[derive(Debug)]
pub struct Console {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Sockets of the console that listen, not yet served.
#[derive(Debug)]
pub struct Door {
    listeners: Vec<TcpListener>,
    config: HttpConfig,
}

impl Door {
    /// Listens where the settings say; none if they say nowhere.
    ///
    /// # Errors
    /// [`ListenError`] for the first address that does not work.
    pub fn open(config: &HttpConfig, backlog: i32) -> Result<Option<Door>, ListenError> {
        let mut listeners = Listeners::new();
        listeners.tcp(&config.bind, config.port, backlog)?;
        Ok((!listeners.is_empty()).then(|| Door {
            listeners: listeners.into_tcp(),
            config: config.clone(),
        }))
    }
}

impl Console {
    /// Serves `shard` to those who come in by the door. The shard need not be loaded.
    ///
    /// # Errors
    /// What the system says if it gives no thread.
    pub fn start(door: Door, shard: Arc<Shard>) -> io::Result<Console> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(WALKING_THREADS)
            .thread_name("weir-console-walk")
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let name = "weir-console".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || {
            if let Err(error) = run(&runtime, door, shard, stopped) {
                tracing::error!(%error, "http-port cannot be served");
            }
            // A walk through a large keyspace is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Console {
            stop,
            thread: Some(thread),
        })
    }

    /// Answers what has been asked, and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = mem::take(&mut self.thread)
            && thread.join().is_err()
        {
            tracing::error!("the console's thread panicked");
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(
    runtime: &Runtime,
    door: Door,
    shard: Arc<Shard>,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let served = Arc::new(Served::new(shard, &door.config));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    runtime.block_on(async {
        tokio::spawn(Arc::clone(&served.surveys).begin());
        let mut accepting = JoinSet::new();
        for listener in door.listeners {
            let listener = TokioListener::from_std(listener)?;
            let accepts = accept(
                listener,
                Arc::clone(&served),
                Arc::clone(&places),
                stopped.clone(),
            );
            accepting.spawn(accepts);
        }
        accepting.join_all().await;
        Ok(())
    })
}

/// Accepts until the console stops, and waits a little for the connections to end.
async fn accept(
    listener: TokioListener,
    served: Arc<Served>,
    places: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // What has ended is taken out, so that the set holds no more than what is open.
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let serve = Arc::clone(&served).serve(stream, stopped.clone());
                    connections.spawn(async move {
                        serve.await;
                        drop(place);
                    });
                }
                Err(_) => connection::turn_away(stream),
            },
            Err(error) => {
                tracing::warn!(%error, "http-port cannot accept a connection; trying again");
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
    tokio::time::timeout(END_TIME, connections.join_all())
        .await
        .ok();
}

/// How long the system is not asked again for a connection that it refused.
const REFUSED_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
