//! Makes memory ready for commands that are going to fill much of it, before they run and without
//! the shard's lock.
//!
//! The system finds and clears memory when it is touched for the first time, which takes 0.1 to 1
//! ms for each megabyte: with the lock, everybody would wait for that. One command is prepared for
//! at a time, and runs on this thread as soon as its memory is there, so there is never more such
//! memory than one command needs.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::clients::session::SessionId;
use journal::contained;
use parking_lot::{Condvar, Mutex};

use crate::memory::Meter;
use crate::shard::Shard;

/// The smallest piece of memory that the system finds by itself.
const PAGE_BYTES: usize = 4096;

/// Who waits for memory.
#[derive(Debug, Default)]
pub(crate) struct Preparer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Clients, each with how much it needs: one command of each, as a client that waits sends no
    /// other.
    waiting: VecDeque<(SessionId, usize)>,
    stopped: bool,
}

impl Preparer {
    /// A client's command needs so many bytes.
    pub(crate) fn order(&self, waiting: SessionId, bytes: usize) {
        self.state.lock().waiting.push_back((waiting, bytes));
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_one();
    }

    /// Whose turn it is; `None` once the thread is to end.
    fn next(&self) -> Option<(SessionId, usize)> {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| {
            state.waiting.is_empty() && !state.stopped
        });
        match state.stopped {
            true => None,
            false => state.waiting.pop_front(),
        }
    }
}

/// Prepares for the commands of clients, and lets them run, until the server stops.
pub(crate) fn run(shard: &Arc<Shard>, mut meter: Meter) {
    while let Some((waiting, bytes)) = shard.preparer.next() {
        // Where it cannot be had, the command finds out by itself.
        let memory = contained(|| Ok(touched(bytes))).unwrap_or_default();
        let rest = shard.go_on(&mut meter, |engine, now| {
            engine.memory_prepared(waiting, memory, now)
        });
        let Some(rest) = rest else {
            break;
        };
        drop(rest);
        meter.leave(&shard.untold);
    }
}

/// Empty memory for so many bytes, all of which the system has found.
fn touched(bytes: usize) -> Vec<u8> {
    let mut memory = Vec::with_capacity(bytes);
    for page in memory.spare_capacity_mut().chunks_mut(PAGE_BYTES) {
        if let Some(byte) = page.first_mut() {
            byte.write(0);
        }
    }
    memory
}
