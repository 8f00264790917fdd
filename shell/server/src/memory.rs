//! How much memory is used, known at each request although asking the allocator takes long.
//!
//! Each thread knows at once what it has allocated and freed itself. The thread that holds the
//! shard's lock adds that to the figure that the engine uses; what threads do without the lock they
//! leave here. Now and then the allocator is asked for the total, which corrects for threads that
//! leave nothing. What waits to be freed counts as free.

use std::sync::atomic::{AtomicI64, Ordering};

use engine::Engine;

use crate::limits::UNTOLD_MEMORY_BYTES_MAX;

/// How the allocator in use counts memory, and gives it back.
#[derive(Debug, Clone, Copy)]
pub struct Allocator {
    /// Bytes allocated by the process; this takes a while.
    pub used: fn() -> u64,
    /// Bytes of pages in which something is allocated, and resident bytes of all pages; as of the
    /// last `used`.
    pub pages: fn() -> (u64, u64),
    /// Bytes that this thread has allocated less those that it has freed, of any thread; it wraps
    /// around. This takes no time.
    pub of_thread: fn() -> u64,
    /// Gives memory that is free back to the system; this takes a while.
    pub give_back: fn(),
}

/// What threads did to a figure without the shard's lock.
#[derive(Debug, Default)]
pub(crate) struct Untold(AtomicI64);

impl Untold {
    /// Leaves a change to the next holder of the lock.
    pub(crate) fn leave(&self, bytes: i64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes what was left.
    pub(crate) fn take(&self) -> i64 {
        // Most of the time there is nothing, and a load is cheaper than a swap.
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.0.swap(0, Ordering::Relaxed),
        }
    }
}

/// What one thread has reported of its memory.
#[derive(Debug)]
pub(crate) struct Meter {
    of_thread: fn() -> u64,
    told: u64,
    /// Bytes that the engine has released and nobody has taken from it yet, when last seen.
    dropped: i64,
}

impl Meter {
    /// The meter of a thread that has reported nothing.
    pub(crate) const fn new(allocator: Allocator) -> Meter {
        Meter {
            of_thread: allocator.of_thread,
            told: 0,
            dropped: 0,
        }
    }

    /// Returns how much the thread's memory has grown since the last report.
    #[inline]
    pub(crate) fn growth(&mut self) -> i64 {
        let now = (self.of_thread)();
        let growth = now.wrapping_sub(self.told).cast_signed();
        self.told = now;
        growth
    }

    /// Tells the engine what it does not know yet, under the shard's lock.
    #[inline]
    pub(crate) fn tell(&mut self, engine: &mut Engine) {
        let dropped = engine.dropped_bytes().cast_signed();
        let change = self.growth() - (dropped - self.dropped);
        self.dropped = dropped;
        add(engine, change);
    }

    /// The engine is about to learn the total from elsewhere.
    pub(crate) fn start_over(&mut self, engine: &Engine) {
        self.growth();
        self.dropped = engine.dropped_bytes().cast_signed();
    }

    /// What waits to be dropped is no longer the engine's.
    pub(crate) fn dropped_taken(&mut self) {
        self.dropped = 0;
    }

    /// Leaves what the thread did without the lock, if that is enough to be worth it.
    #[inline]
    pub(crate) fn leave(&mut self, untold: &Untold) {
        let now = (self.of_thread)();
        let growth = now.wrapping_sub(self.told).cast_signed();
        if growth.unsigned_abs() > UNTOLD_MEMORY_BYTES_MAX {
            self.told = now;
            untold.leave(growth);
        }
    }
}

/// Adds to the figure that the engine uses.
#[inline]
pub(crate) fn add(engine: &mut Engine, change: i64) {
    let shell = &mut engine.server.shell;
    shell.used_memory = shell.used_memory.saturating_add_signed(change);
    shell.used_memory_peak = shell.used_memory_peak.max(shell.used_memory);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use engine::config::Settings;
    use engine::{Engine, Now};

    use super::*;

    thread_local! {
        static NET: Cell<u64> = const { Cell::new(0) };
    }

    fn meter() -> Meter {
        Meter::new(Allocator {
            pages: || (0, 0),
            used: || 0,
            of_thread: || NET.get(),
            give_back: || (),
        })
    }

    #[test]
    fn what_a_thread_frees_of_others_makes_the_figure_smaller() {
        let mut engine = Engine::new(Settings::default(), 1, Now::default(), &commands::TABLE);
        let mut meter = meter();
        add(&mut engine, 1000);
        NET.set(500);
        meter.tell(&mut engine);
        assert_eq!(engine.server.shell.used_memory, 1500);
        NET.set(0_u64.wrapping_sub(300));
        meter.tell(&mut engine);
        assert_eq!(engine.server.shell.used_memory, 700);
        assert_eq!(engine.server.shell.used_memory_peak, 1500);
        add(&mut engine, -5000);
        assert_eq!(engine.server.shell.used_memory, 0);
    }

    #[test]
    fn what_is_done_without_the_lock_is_left_for_who_has_it_next() {
        let (mut meter, untold) = (meter(), Untold::default());
        NET.set(UNTOLD_MEMORY_BYTES_MAX);
        meter.leave(&untold);
        assert_eq!(untold.take(), 0);
        NET.set(UNTOLD_MEMORY_BYTES_MAX + 1);
        meter.leave(&untold);
        assert_eq!(untold.take(), UNTOLD_MEMORY_BYTES_MAX.cast_signed() + 1);
        assert_eq!(untold.take(), 0);
        assert_eq!(meter.growth(), 0);
    }
}
