//! Times of a directory: `cargo bench -p collections`. Without `--bench` it only runs once with few
//! keys, so that a test run shows that it still works.
#![expect(clippy::disallowed_methods, reason = "it measures and reports")]
#![expect(clippy::disallowed_types, reason = "it measures and reports")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use collections::Directory;
use foldhash::fast::FixedState;

/// Says it only when measuring: the numbers of a test run mean nothing.
macro_rules! say {
    ($($what:tt)*) => {
        if is_measuring() {
            println!($($what)*);
        }
    };
}

fn is_measuring() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

struct Counting;
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "a counting allocator cannot be written otherwise"
)]
// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Value = (u64, u64);

fn main() {
    let measure = is_measuring();
    let sizes: &[u64] = if measure {
        &[1_000, 30_000, 1_000_000]
    } else {
        &[1_000]
    };
    for &key_count in sizes {
        for _ in 0..if measure { 3 } else { 1 } {
            run(key_count);
        }
    }
}

fn report(what: &str, key_count: u64, started: Instant) {
    let each_ns = started.elapsed().as_nanos() as f64 / key_count as f64;
    say!("{key_count:>9} keys: {what:<40} {each_ns:8.1} ns each");
}

fn run(key_count: u64) {
    let state = FixedState::with_seed(42);
    let hash = |key: u64| state.hash_one(key);
    let hash_of = |value: &Value| hash(value.0);
    let rounds = (1_000_000 / key_count).min(100);
    let order: Vec<u64> = (0..key_count)
        .map(|i| i * 0x9E37_79B1 % key_count.next_power_of_two())
        .collect();

    let before = ALLOCATED.load(Ordering::Relaxed);
    let mut directory: Directory<Value> = Directory::new();
    let started = Instant::now();
    for key in 0..key_count {
        directory.insert(hash(key), (key, key), hash_of);
    }
    report("insert", key_count, started);
    let bytes = ALLOCATED.load(Ordering::Relaxed) - before;
    say!(
        "{key_count:>9} keys: {:.1} bytes each for values of 16",
        bytes as f64 / key_count as f64
    );

    let started = Instant::now();
    let mut found = 0_u64;
    for _ in 0..rounds {
        for &key in &order {
            found += u64::from(directory.find(hash(key), |v| v.0 == key).is_some());
        }
    }
    report("find", key_count * rounds, started);
    let started = Instant::now();
    for _ in 0..rounds {
        for &key in &order {
            found += u64::from(
                directory
                    .find(hash(key + key_count), |v| v.0 == key + key_count)
                    .is_some(),
            );
        }
    }
    report("find (miss)", key_count * rounds, started);
    black_box(found);
    let started = Instant::now();
    for _ in 0..rounds {
        for &key in &order {
            if let Some(value) = directory.find_mut(hash(key), |v| v.0 == key) {
                value.1 += 1;
            }
        }
    }
    report("find_mut", key_count * rounds, started);

    let started = Instant::now();
    let frozen = directory.freeze();
    say!("{key_count:>9} keys: freeze {:?}", started.elapsed());
    let mut longest = Duration::ZERO;
    let whole = Instant::now();
    for &key in &order {
        let started = Instant::now();
        if let Some(value) = directory.find_mut(hash(key), |v| v.0 == key) {
            value.1 += 1;
        }
        longest = longest.max(started.elapsed());
    }
    report("find_mut with copying", key_count, whole);
    say!("{key_count:>9} keys: longest find_mut with copying {longest:?}");
    let started = Instant::now();
    let sum: u64 = frozen.iter().map(|value| value.1).sum();
    report("iter", key_count, started);
    black_box(sum);
    drop(frozen);

    let started = Instant::now();
    for &key in &order {
        directory.remove(hash(key), |v| v.0 == key, hash_of, 1);
    }
    report("remove", key_count, started);

    let mut times: Vec<Duration> = Vec::new();
    let mut directory: Directory<Value> = Directory::new();
    for key in 0..key_count {
        let started = Instant::now();
        directory.insert(hash(key), (key, key), hash_of);
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    say!(
        "{key_count:>9} keys: insert p50 {:?} p99 {:?} p99.9 {:?} longest {:?}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}
