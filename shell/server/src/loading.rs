//! Loading, while clients are told to wait.
//!
//! A separate thread fills a second engine, without the lock. When it is done, the first engine,
//! which has no data, takes over its data and keeps its own clients, settings and counters.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use engine::server::Loading;
use journal::PanicEndsProcess;
use parking_lot::Mutex;
use persistence::{Load, Loaded};

use crate::mailbox::Message;
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

/// Gives the shard its data, and says that it is ready. A panic ends the process.
pub(crate) fn run<E>(
    shard: &Arc<Shard>,
    fill: impl FnOnce(&Arc<Shard>) -> Result<(), E>,
    ready: impl FnOnce(),
    failed: &Failed<E>,
) {
    let _guard = PanicEndsProcess::with(
        "the data could not be loaded: this is an error of weir; nothing on the disk was changed",
    );
    match fill(shard) {
        Ok(()) => ready(),
        Err(error) => {
            *failed.0.lock() = Some(error);
            shard.end();
        }
    }
}

/// Loads the data from the journal again, because somebody else wrote to it. The engine has none
/// any more. Tries until it succeeds or the server stops.
pub(crate) fn again(shard: &Shard) {
    let _guard = PanicEndsProcess::with(
        "the data could not be loaded again: this is an error of weir; start the server again",
    );
    shard.answer_all();
    shard.journal.close();
    loop {
        let guard = shard.lock();
        let now = shard.clock.now();
        let (engine, config) = (
            guard.engine.empty_like(now),
            guard.persistence.reload_config(),
        );
        let is_stopping = guard.stopping;
        drop(guard);
        if is_stopping {
            return;
        }
        match persistence::load(engine, &config, &shard.load, now) {
            Ok(loaded) => return shard.loaded(loaded),
            Err(error) => tracing::error!(%error, "the data cannot be loaded again"),
        }
        thread::sleep(PAUSE);
    }
}

/// The pause between two attempts to load.
const PAUSE: Duration = Duration::from_secs(1);

impl Shard {
    /// The data is not there yet. [`serve`](crate::serve) says so too: who shows the shard to
    /// others before that says it first.
    pub fn begin_load(&self) {
        let now = self.clock.now();
        self.lock().engine.server.loading = Some(Loading::begin(now));
    }

    /// Loads the data, and serves them.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn load<E>(&self, load: impl FnOnce(&Load) -> Result<Loaded, E>) -> Result<(), E> {
        self.loaded(load(&self.load)?);
        Ok(())
    }

    /// Lets every thread answer the replies that wait for the log. They tell of batches that are
    /// not in it, and whose numbers others will have: none may wait any longer when the log
    /// releases those.
    pub(crate) fn answer_all(&self) {
        let (answered, all) = mpsc::channel();
        for mailbox in &self.lock().mailboxes {
            mailbox.post(Message::Answer(answered.clone()));
        }
        drop(answered);
        // Nothing is sent: it ends when the last sender is gone.
        all.recv().ok();
    }

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
