//! Frees large values that are no longer part of the keyspace, on a thread that nobody waits for.
//!
//! The thread that held the shard's lock hands in what the engine released. Freeing is faster than
//! filling, so little waits here. If too much waits all the same, the thread that hands in more
//! frees it itself. The same thread has the allocator give memory back when a client asks for it.

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
    /// How many threads are freeing something.
    freeing: usize,
    /// How often that has begun.
    begun: u64,
    /// The allocator is to give back what is free, once nothing waits.
    gives_back: bool,
    stopped: bool,
}

impl State {
    fn begin_freeing(&mut self) {
        self.freeing += 1;
        self.begun += 1;
    }
}

/// What waits while nothing is being freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// About how many bytes.
    pub(crate) bytes: usize,
    /// Tells this moment from those before something was freed.
    begun: u64,
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
            state.begin_freeing();
            drop(state);
            drop(dropped);
            self.state.lock().freeing -= 1;
            untold.leave(bytes as i64);
            return;
        }
        state.waiting.extend(dropped);
        drop(state);
        self.changed.notify_one();
    }

    /// What waits; `None` while something is being freed, because it is unknown how much of that
    /// the allocator has back already.
    pub(crate) fn settled(&self) -> Option<Settled> {
        let state = self.state.lock();
        (state.freeing == 0).then_some(Settled {
            bytes: state.bytes,
            begun: state.begun,
        })
    }

    /// Asks that the allocator give memory back to the system, after what waits is freed. However
    /// often this is called meanwhile, it is done once.
    pub(crate) fn give_back(&self) {
        self.state.lock().gives_back = true;
        self.changed.notify_one();
    }

    /// Frees what is handed in until the server stops, and gives memory back by `give_back`.
    pub(crate) fn run(&self, mut meter: Meter, untold: &Untold, give_back: fn()) {
        loop {
            let mut state = self.state.lock();
            self.changed.wait_while(&mut state, |state| {
                state.waiting.is_empty() && !state.gives_back && !state.stopped
            });
            if state.stopped {
                return;
            }
            if state.waiting.is_empty() {
                state.gives_back = false;
                drop(state);
                give_back();
                continue;
            }
            let waiting = std::mem::take(&mut state.waiting);
            state.begin_freeing();
            drop(state);
            for dropped in waiting {
                let bytes = dropped.bytes();
                // The thread must continue, because it frees for all others too.
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
            self.state.lock().freeing -= 1;
        }
    }

    /// Ends the thread. What still waits is freed by the end of the process.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_one();
    }
}

impl Dropper {
    /// About how many bytes are to be freed.
    #[cfg(test)]
    fn waiting_bytes(&self) -> usize {
        self.state.lock().bytes
    }
}

fn bytes_of(dropped: &[Dropped]) -> usize {
    dropped.iter().map(Dropped::bytes).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use engine::config::Settings;
    use engine::{Engine, Now};
    use resp::{ArgvBuf, Protocol, Reply};

    use super::*;
    use crate::memory::{Allocator, add};

    /// What the allocator gives for a value of [`VALUE_LEN`] bytes and a little room behind it.
    const VALUE_BYTES: u64 = 80 << 20;
    const VALUE_LEN: u64 = 78 << 20;

    /// A meter of a thread whose memory has grown by this many bytes when it is asked.
    fn meter(of_thread: fn() -> u64) -> Meter {
        Meter::new(Allocator {
            used: || 0,
            pages: || (0, 0),
            of_thread,
            give_back: || (),
        })
    }

    #[test]
    fn what_waits_to_be_freed_counts_as_free_at_once_and_once() {
        let mut engine = Engine::new(Settings::default(), 1, Now::default(), &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), Now::default());
        let ask = |engine: &mut Engine, words: &[&str]| {
            let argv: ArgvBuf = words.iter().collect();
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(client, argv.as_argv(), Now::default(), &mut reply);
        };
        let last = (VALUE_LEN - 1).to_string();
        ask(&mut engine, &["SETRANGE", "k", &last, "x"]);
        let used = |engine: &Engine| engine.server.shell.used_memory;
        add(&mut engine, 1000 + VALUE_BYTES.cast_signed());
        // The thread that deletes frees nothing by that: the value is still there.
        let mut of_deleting = meter(|| 0);
        ask(&mut engine, &["DEL", "k"]);
        of_deleting.tell(&mut engine);
        let after = used(&engine);
        assert!(after <= 1000, "{after}");
        // On its way to the dropper and in its queue, it goes on to count as free.
        let (dropper, untold) = (Dropper::default(), Untold::default());
        let dropped = engine.take_dropped();
        dropper.announce(&dropped);
        of_deleting.dropped_taken();
        assert!(dropper.waiting_bytes() as u64 >= VALUE_BYTES);
        dropper.hand_in(dropped, &untold);
        of_deleting.tell(&mut engine);
        add(&mut engine, untold.take());
        assert!(dropper.waiting_bytes() as u64 >= VALUE_BYTES);
        assert_eq!(used(&engine), after);
        // Freed in fact, it counts no second time.
        std::thread::scope(|scope| {
            let of_dropping = meter(|| 0_u64.wrapping_sub(VALUE_BYTES));
            scope.spawn(|| dropper.run(of_dropping, &untold, || ()));
            while dropper.waiting_bytes() > 0 {
                std::thread::yield_now();
            }
            dropper.stop();
        });
        add(&mut engine, untold.take());
        let difference = used(&engine).abs_diff(after);
        assert!(difference < 1000, "{difference}");
    }

    #[test]
    fn what_waits_is_known_only_while_nothing_is_being_freed() {
        let (dropper, untold) = (Dropper::default(), Untold::default());
        let mut engine = Engine::new(Settings::default(), 1, Now::default(), &commands::TABLE);
        let client = engine.connect(String::new(), String::new(), Now::default());
        for words in [&["SETRANGE", "k", "9999999", "x"][..], &["DEL", "k"]] {
            let argv: ArgvBuf = words.iter().collect();
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(client, argv.as_argv(), Now::default(), &mut reply);
        }
        let dropped = engine.take_dropped();
        dropper.announce(&dropped);
        let announced = dropper.settled().unwrap();
        assert!(announced.bytes >= 10_000_000);
        dropper.state.lock().begin_freeing();
        assert_eq!(dropper.settled(), None);
        dropper.state.lock().freeing -= 1;
        // As much waits as before, but what the allocator said in between may be about either.
        assert_ne!(dropper.settled(), Some(announced));
        // A thread that frees what it hands in itself begins and ends it too.
        dropper.stop();
        let before = dropper.settled().unwrap();
        dropper.hand_in(dropped, &untold);
        let after = dropper.settled().unwrap();
        assert!(after.bytes == 0 && after != before);
    }

    #[test]
    fn memory_is_given_back_once_for_all_who_asked() {
        static TIMES: AtomicUsize = AtomicUsize::new(0);
        let give_back = || {
            TIMES.fetch_add(1, Ordering::SeqCst);
        };
        let (dropper, untold) = (Dropper::default(), Untold::default());
        dropper.give_back();
        dropper.give_back();
        std::thread::scope(|scope| {
            scope.spawn(|| dropper.run(meter(|| 0), &untold, give_back));
            while TIMES.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            dropper.stop();
        });
        assert_eq!(TIMES.load(Ordering::SeqCst), 1);
    }
}
