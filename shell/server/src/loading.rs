//! Loading, while clients are told to wait.
//!
//! A separate thread fills a second engine, without the lock. When it is done, the first engine,
//! which has no data, takes over its data and keeps its own clients, settings and counters.

use std::sync::Arc;
use std::time::Duration;

use journal::PanicEndsProcess;
use parking_lot::Mutex;
use persistence::{Load, Loaded};

use crate::shard::{Shard, State};

/// How long clients wait for a load before they are told of it. Most loads take less and go
/// unnoticed.
pub(crate) const UNNOTICED: Duration = Duration::from_millis(200);

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
    load: impl FnOnce(&Load) -> Result<Loaded, E>,
    ready: impl FnOnce(),
    failed: &Failed<E>,
) {
    let _guard = PanicEndsProcess::with(
        "the data could not be loaded: this is an error of weir; nothing on the disk was changed",
    );
    match load(&shard.load) {
        Ok(loaded) => {
            shard.loaded(loaded);
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
        if let Some(loading) = &mut state.engine.server.loading {
            let progress = self.load.progress();
            loading.loaded_bytes = progress.bytes_read;
            loading.total_bytes = progress.bytes_total;
        }
    }

    /// Serves what was loaded.
    fn loaded(&self, loaded: Loaded) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let now = self.clock.now();
        state.persistence.loaded(&mut state.engine, loaded, now);
    }
}
