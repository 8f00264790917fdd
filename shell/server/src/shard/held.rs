//! The state of a shard, held by one thread.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use journal::PanicEndsProcess;
use parking_lot::MutexGuard;

use super::State;

/// The state of a shard as long as its lock is held. A panic meanwhile ends the process, before
/// anybody else gets the lock: what it interrupted may be half done, in no batch of the journal,
/// and a rewrite would make that durable.
pub(crate) struct Held<'s> {
    // Dropped first, and so before the lock is released.
    _fatal: PanicEndsProcess,
    state: MutexGuard<'s, State>,
}

impl<'s> Held<'s> {
    /// The lock is held. `message` is printed if there is a panic.
    #[inline]
    pub(super) fn new(state: MutexGuard<'s, State>, message: &'static str) -> Held<'s> {
        Held {
            _fatal: PanicEndsProcess::with(message),
            state,
        }
    }

    /// Gives the lock back after it was held for `held`. It is handed to a thread that waits for
    /// it, if there is one and the lock was held for [`HELD_MAX`] since that last happened. A
    /// thread that takes the lock again and again would else always be faster than one that has to
    /// be woken first.
    #[inline]
    pub(crate) fn release(self, held: Duration) {
        let Held {
            _fatal: fatal,
            mut state,
        } = self;
        drop(fatal);
        state.held += held;
        if state.held < HELD_MAX {
            drop(state);
        } else {
            state.held = Duration::ZERO;
            MutexGuard::unlock_fair(state);
        }
    }
}

/// How long threads may have the lock before who waits for it is given it. Each time costs a change
/// of threads while nobody has the lock, so it is not done at once.
const HELD_MAX: Duration = Duration::from_micros(500);

impl Deref for Held<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// The message if there is a journal.
pub(super) const FAILED: &str = "\
    A request or a task failed by an error in this program, perhaps half done, and the process \
    ends so that nobody sees that or keeps it. What was acknowledged is in the journal: start \
    the server again, and please report what was logged before this line.";

/// The message if there is none.
pub(super) const FAILED_WITHOUT_JOURNAL: &str = "\
    A request or a task failed by an error in this program, perhaps half done, and the process \
    ends so that nobody sees that or keeps it. There is no journal (appendonly no): a restart \
    finds the last snapshot. Start the server again, and please report what was logged before \
    this line.";

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use engine::Engine;
    use engine::config::Settings;

    use super::HELD_MAX;
    use crate::clock::Clock;
    use crate::shard::Shard;
    use journal::contained;

    /// The signal by which a process ends itself.
    const SIGABRT: i32 = 6;

    fn shard() -> Arc<Shard> {
        let clock = Clock::start();
        let engine = Engine::new(Settings::default(), 1, clock.now(), &commands::TABLE);
        Arc::new(Shard::new(engine, clock))
    }

    #[test]
    fn a_panic_under_the_lock_ends_the_process_on_any_thread() {
        const PLANTED: &str = "WEIR_TEST_PANIC_UNDER_THE_LOCK";
        if std::env::var_os(PLANTED).is_some() {
            // This is the process that ends.
            let shard = shard();
            let work = thread::spawn(move || {
                contained::<()>(|| {
                    let _state = shard.lock();
                    panic!("planted")
                })
            });
            work.join().ok();
            return;
        }
        let this = "shard::held::tests::a_panic_under_the_lock_ends_the_process_on_any_thread";
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(PLANTED, "yes")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.signal(), Some(SIGABRT), "{said}");
        assert!(said.contains("planted"), "{said}");
        assert!(said.contains("There is no journal"), "{said}");
        assert!(said.contains("Start the server again"), "{said}");
    }

    #[test]
    fn who_waits_for_the_lock_gets_it_from_a_thread_that_takes_it_again_and_again() {
        const WAITS: u64 = 20;
        /// Far less than what passes if a thread that has to be woken is always too late.
        const HOLDS_MAX: u64 = 1000;
        let shard = shard();
        let (holds, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let (guard, begun) = (shard.lock(), Instant::now());
                    while begun.elapsed() < HELD_MAX {
                        std::hint::spin_loop();
                    }
                    guard.release(begun.elapsed());
                    holds.fetch_add(1, Ordering::Relaxed);
                }
            });
            let wait = |_| {
                thread::sleep(Duration::from_millis(1));
                let before = holds.load(Ordering::Relaxed);
                drop(shard.lock());
                holds.load(Ordering::Relaxed) - before
            };
            let seen: u64 = (0..WAITS).map(wait).sum();
            stop.store(true, Ordering::Relaxed);
            seen
        });
        assert!(seen < HOLDS_MAX, "{seen} holds of another thread");
    }

    #[test]
    fn what_cleans_up_after_a_panic_elsewhere_may_take_the_lock() {
        struct Cleaned(Arc<Shard>);
        impl Drop for Cleaned {
            fn drop(&mut self) {
                self.0.lock().stopping = true;
            }
        }
        let shard = shard();
        let cleaned = Cleaned(Arc::clone(&shard));
        let failed = contained::<()>(move || {
            let _cleaned = cleaned;
            panic!("planted")
        });
        assert!(failed.is_err() && shard.lock().stopping);
    }
}
