//! The allocator: how much it holds, and when it gives back what was freed.

use server::Allocator;
use tikv_jemalloc_ctl::{Access, AsName};

/// How the allocator counts memory.
pub(crate) const FIGURES: Allocator = Allocator {
    used,
    pages,
    of_thread,
    give_back: purge,
};

/// From this size on, jemalloc keeps a piece of memory apart from all others
/// (`oversize_threshold`).
const LARGE_BYTES: usize = 8 << 20;

/// How long freed memory is kept for what comes next, in milliseconds: what comes at once takes it
/// again, and what tables left behind as they grew is not resident for ten times as long.
const KEPT_MS: isize = 1000;

/// For how long jemalloc keeps it by itself (`dirty_decay_ms`).
const KEPT_BY_DEFAULT_MS: isize = 10_000;

/// Lets the allocator give freed memory back to the system: what is large at once, the rest in the
/// background within [`KEPT_MS`]. Zeros in new large memory then come from the system, page by page
/// as they are touched.
///
/// jemalloc decides about large memory when some is allocated for the first time. With its threads
/// in the background already there, it leaves that to them.
pub(crate) fn give_back() -> anyhow::Result<()> {
    keep_for(KEPT_MS);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE_BYTES)));
    let begun = tikv_jemalloc_ctl::background_thread::write(true);
    // The error knows nothing but its number.
    begun.map_err(|error| {
        anyhow::anyhow!("the allocator cannot give memory back in the background: {error}")
    })
}

/// Keeps freed memory for that many milliseconds, unless the environment says for how long
/// (`_RJEM_MALLOC_CONF`).
fn keep_for(kept_ms: isize) {
    let told = Access::<isize>::read("opt.dirty_decay_ms\0".name());
    if told == Ok(KEPT_BY_DEFAULT_MS) {
        // Arenas that come later, and that of the first thread.
        for name in ["arenas.dirty_decay_ms\0", "arena.0.dirty_decay_ms\0"] {
            name.name().write(kept_ms).ok();
        }
    }
}

/// Bytes allocated.
fn used() -> u64 {
    tikv_jemalloc_ctl::epoch::advance().ok();
    tikv_jemalloc_ctl::stats::allocated::read().map_or(0, |bytes| bytes as u64)
}

/// Bytes of pages in which something is allocated, and resident bytes, as of the last [`used`].
fn pages() -> (u64, u64) {
    let active = tikv_jemalloc_ctl::stats::active::read();
    let resident = tikv_jemalloc_ctl::stats::resident::read();
    [active, resident]
        .map(|bytes| bytes.map_or(0, |bytes| bytes as u64))
        .into()
}

/// Bytes that this thread has allocated, less those that it has freed.
fn of_thread() -> u64 {
    use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
    thread_local! {
        static COUNTERS: Option<(ThreadLocal<u64>, ThreadLocal<u64>)> =
            allocatedp::read().ok().zip(deallocatedp::read().ok());
    }
    COUNTERS.with(|counters| {
        counters.map_or(0, |(allocated, freed)| {
            allocated.get().wrapping_sub(freed.get())
        })
    })
}

/// Gives all that is free back to the system now: an arena whose free memory is to be kept for no
/// time gives it back at once. It keeps the next as long as before.
fn purge() {
    let arenas = tikv_jemalloc_ctl::arenas::narenas::read().unwrap_or(0);
    for arena in 0..arenas {
        let name = format!("arena.{arena}.dirty_decay_ms\0");
        let name = name.name();
        // An arena that was never used has no such setting.
        if let Ok(kept_ms) = Access::<isize>::update(name, 0) {
            name.write(kept_ms).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// One test measures at a time: what another has meanwhile is more than it looks for.
    static MEASURING: Mutex<()> = Mutex::new(());

    #[test]
    fn what_is_large_is_given_back_when_it_is_freed() {
        let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
        give_back().unwrap();
        let resident = || {
            used();
            pages().1
        };
        const BYTES: usize = 256 << 20;
        let large = vec![1_u8; BYTES];
        let before = resident();
        drop(std::hint::black_box(large));
        let after = resident();
        // Other tests have some memory meanwhile.
        assert!(after + BYTES as u64 / 2 < before, "{before}, {after}");
    }

    #[test]
    fn what_is_free_is_given_back_when_that_is_asked_for() {
        let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
        give_back().unwrap();
        const PIECES: usize = 64 << 10;
        const PIECE_BYTES: usize = 1 << 10;
        let resident = || {
            used();
            pages().1
        };
        let pieces: Vec<Vec<u8>> = (0..PIECES).map(|_| vec![1; PIECE_BYTES]).collect();
        drop(std::hint::black_box(pieces));
        let before = resident();
        purge();
        let after = resident();
        let bytes = (PIECES * PIECE_BYTES) as u64;
        assert!(after + bytes / 2 < before, "{before}, {after}");
        // What is freed later is kept for as long as before.
        for name in ["arenas.dirty_decay_ms\0", "arena.0.dirty_decay_ms\0"] {
            assert_eq!(Access::<isize>::read(name.name()), Ok(KEPT_MS));
        }
    }
}
