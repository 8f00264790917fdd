//! Loading, while clients are told to wait.
//!
//! A separate thread fills a second engine, without the lock. When it is done, the first engine,
//! which has no data, takes over its data and keeps its own clients, settings and counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::{Engine, Now};
use journal::{PanicEndsProcess, Progress};
use parking_lot::Mutex;

use crate::persistence::FileJournal;
use crate::shard::{Shard, State};

/// The progress of a load. One thread loads, and any may look.
#[derive(Debug)]
pub struct Load {
    read: AtomicU64,
    total: AtomicU64,
    begun: Instant,
    /// When the last line was logged, in milliseconds since the start.
    told_ms: AtomicU64,
}

/// How often the progress of a load is logged, in milliseconds.
const TELL_MS: u64 = 1000;

/// How long clients wait for a load before they are told of it. Most loads take less and go
/// unnoticed.
pub(crate) const UNNOTICED: Duration = Duration::from_millis(200);

impl Default for Load {
    fn default() -> Load {
        Load {
            read: AtomicU64::new(0),
            total: AtomicU64::new(0),
            begun: Instant::now(),
            told_ms: AtomicU64::new(0),
        }
    }
}

impl Load {
    /// Notes the progress, and logs it now and then.
    pub fn note(&self, progress: Progress) {
        let Progress {
            bytes_read,
            bytes_total,
        } = progress;
        self.read.store(bytes_read, Ordering::Relaxed);
        self.total.store(bytes_total, Ordering::Relaxed);
        let elapsed_ms = self.begun.elapsed().as_millis() as u64;
        if elapsed_ms >= self.told_ms.load(Ordering::Relaxed) + TELL_MS {
            self.told_ms.store(elapsed_ms, Ordering::Relaxed);
            tracing::info!(read = bytes_read, of = bytes_total, "loading");
        }
    }
}

/// Why a load failed, once it has.
pub(crate) struct Failed<E>(Mutex<Option<E>>);

impl<E> Failed<E> {
    pub(crate) fn new() -> Arc<Failed<E>> {
        Arc::new(Failed(Mutex::new(None)))
    }

    pub(crate) fn take(&self) -> Option<E> {
        self.0.lock().take()
    }
}

/// Loads, gives the data to the shard, and says that it is ready. A panic ends the process.
pub(crate) fn run<E>(
    shard: &Shard,
    load: impl FnOnce(&Load) -> Result<(Engine, Option<FileJournal>), E>,
    ready: impl FnOnce(),
    failed: &Failed<E>,
) {
    let _guard = PanicEndsProcess::with(
        "the data could not be loaded: this is an error of weir; nothing on the disk was changed",
    );
    match load(&shard.load) {
        Ok((engine, journal)) => {
            shard.loaded(engine, journal);
            ready();
        }
        Err(error) => {
            *failed.0.lock() = Some(error);
            shard.end();
        }
    }
}

impl Shard {
    /// Tells the engine how far the load is.
    pub(crate) fn look_at_load(&self, state: &mut State) {
        if let Some(loading) = &mut state.engine.node.loading {
            loading.loaded_bytes = self.load.read.load(Ordering::Relaxed);
            loading.total_bytes = self.load.total.load(Ordering::Relaxed);
        }
    }

    /// Serves what was loaded, and lets the journal take what comes.
    fn loaded(&self, engine: Engine, journal: Option<FileJournal>) {
        let mut state = self.lock();
        let now: Now = self.clock.now();
        match journal {
            Some(journal) => {
                journal.set_policy(crate::shard::sync_policy(&state.engine.node.settings));
                self.journal.set_whole(&Arc::new(journal));
            }
            None => self.journal.set_none(),
        }
        state.engine.take_loaded(engine, now);
        self.look_at_journal(&mut state, now);
    }
}
