//! Makes ready what commands need that takes long, before they run and without the shard's lock.
//!
//! One thing is memory. The system finds and clears it when it is touched for the first time, which
//! takes 0.1 to 1 ms for each megabyte: with the lock, everybody would wait for that. Another is
//! the payload of a value, which is made of the value as it is when its turn comes.
//!
//! One command is prepared for at a time, and runs on this thread as soon as all is there. So there
//! is never more such memory than one command needs, and never more than one value that only this
//! thread still has.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::clients::session::SessionId;
use engine::server::Place;
use journal::contained;
use parking_lot::{Condvar, Mutex};

use crate::memory::Meter;
use crate::shard::Shard;

/// The smallest piece of memory that the system finds by itself.
const PAGE_BYTES: usize = 4096;

/// What a command waits for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// So many bytes.
    Memory(usize),
    /// The payload of the value that is there.
    Payload(Place),
}

/// Who waits.
#[derive(Debug, Default)]
pub(crate) struct Preparer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Clients, each with what it needs: one command of each, as a client that waits sends no
    /// other.
    waiting: VecDeque<(SessionId, Wanted)>,
    stopped: bool,
}

impl Preparer {
    /// A client's command needs something.
    pub(crate) fn order(&self, waiting: SessionId, wanted: Wanted) {
        self.state.lock().waiting.push_back((waiting, wanted));
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_one();
    }

    /// Whose turn it is; `None` once the thread is to end.
    fn next(&self) -> Option<(SessionId, Wanted)> {
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
    while let Some((waiting, wanted)) = shard.preparer.next() {
        let prepared = Prepared::of(wanted, shard);
        let rest = shard.go_on(&mut meter, |engine, now| match prepared {
            Prepared::Memory(memory) => engine.memory_prepared(waiting, memory, now),
            Prepared::Payload(payload) => engine.payload_prepared(waiting, payload, now),
        });
        let Some(rest) = rest else {
            break;
        };
        drop(rest);
        meter.leave(&shard.untold);
    }
}

/// What was made ready.
enum Prepared {
    Memory(Vec<u8>),
    /// None if the value is gone.
    Payload(Option<Vec<u8>>),
}

impl Prepared {
    /// Makes ready what is wanted. Where it cannot be had, the command finds out by itself.
    fn of(wanted: Wanted, shard: &Shard) -> Prepared {
        match wanted {
            Wanted::Memory(bytes) => {
                Prepared::Memory(contained(|| Ok(touched(bytes))).unwrap_or_default())
            }
            Wanted::Payload(place) => {
                let now = shard.clock.now();
                let value = shard.lock().engine.value_at(&place, now);
                Prepared::Payload(value.and_then(|value| contained(|| Ok(value.payload())).ok()))
            }
        }
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
