//! Frees large values that are no longer part of the keyspace, on a thread that nobody waits for.
//!
//! The thread that held the shard's lock hands in what the engine released. Freeing is faster than
//! filling, so little waits here. If too much waits all the same, the thread that hands in more
//! frees it itself.

use engine::Dropped;
use journal::contained;
use parking_lot::{Condvar, Mutex};

use crate::limits::DROPPER_BYTES_MAX;
use crate::memory::{Meter, Untold};

/// What waits for the thread.
#[derive(Debug, Default)]
pub(crate) struct Dropper {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Dropped>,
    /// About how many bytes wait, including what is being freed.
    bytes: usize,
    stopped: bool,
}

impl Dropper {
    /// Announces what will be handed in. Must be called with the shard's lock, so that these bytes
    /// count as free all the time.
    pub(crate) fn announce(&self, dropped: &[Dropped]) {
        if !dropped.is_empty() {
            self.state.lock().bytes += bytes_of(dropped);
        }
    }

    /// Hands in what was announced. Must not be called with the shard's lock.
    pub(crate) fn hand_in(&self, dropped: Vec<Dropped>, untold: &Untold) {
        if dropped.is_empty() {
            return;
        }
        let bytes = bytes_of(&dropped);
        let mut state = self.state.lock();
        if state.bytes - bytes > DROPPER_BYTES_MAX || state.stopped {
            state.bytes -= bytes;
            drop(state);
            drop(dropped);
            untold.leave(bytes as i64);
            return;
        }
        state.waiting.extend(dropped);
        drop(state);
        self.changed.notify_one();
    }

    /// About how many bytes are to be freed.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Frees what is handed in until the server stops.
    pub(crate) fn run(&self, mut meter: Meter, untold: &Untold) {
        loop {
            let mut state = self.state.lock();
            self.changed.wait_while(&mut state, |state| {
                state.waiting.is_empty() && !state.stopped
            });
            if state.stopped {
                return;
            }
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            for dropped in waiting {
                let bytes = dropped.bytes();
                // The thread has to continue, because it does the same for everybody else.
                let freed = contained(|| {
                    drop(dropped);
                    Ok(())
                });
                if let Err(error) = freed {
                    tracing::error!(%error, "something large was not freed");
                }
                self.state.lock().bytes -= bytes;
                // It counted as free before.
                untold.leave(meter.growth() + bytes as i64);
            }
        }
    }

    /// Ends the thread. What still waits is freed by the end of the process.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_one();
    }
}

fn bytes_of(dropped: &[Dropped]) -> usize {
    dropped.iter().map(Dropped::bytes).sum()
}
