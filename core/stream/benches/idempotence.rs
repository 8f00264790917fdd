//! Times and memory of idempotence: `cargo bench -p stream`. Without `--bench` it runs once with
//! small numbers, so that a test run shows that it still works.
#![expect(clippy::disallowed_methods, reason = "it measures and reports")]
#![expect(clippy::disallowed_types, reason = "it measures and reports")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use collections::Wheel;
use stream::{Expiry, Forget, Idempotence, Retention, StreamId, fingerprint};

/// Prints only when measuring: the numbers of a test run mean nothing.
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

const NOW_MS: u64 = 1_795_436_473_510;

fn main() {
    let measure = is_measuring();
    let scale = if measure { 1_000_000 } else { 2_000 };
    append(scale);
    bytes(scale / 100);
    crowd(scale);
    wheel(scale);
    fingerprints(scale);
}

fn fresh(maxsize: u32) -> Idempotence {
    Idempotence::new(
        Retention {
            duration_s: 100,
            maxsize,
        },
        42,
    )
}

/// The least of five, because other work on the machine can only add time.
fn best_of(what: &str, count: u64, mut run: impl FnMut()) {
    let best = (0..5).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed()
    });
    let each_ns = best.min().unwrap_or_default().as_nanos() as f64 / count as f64;
    say!("{what:<60} {each_ns:8.1} ns");
}

/// A lookup that misses followed by a record, as in an append with a new iid.
fn append(count: u64) {
    for (producer_count, maxsize, iid_bytes) in [
        (1, 8, 16),
        (1, 100, 10),
        (1, 100, 16),
        (1, 100, 36),
        (10, 100, 16),
        (1_000, 100, 16),
        (1, 1_000, 16),
        (1, 10_000, 16),
    ] {
        let mut idempotence = fresh(maxsize);
        let mut number = 0_u64;
        let producers: Vec<String> = (0..producer_count)
            .map(|i| format!("producer-{i}"))
            .collect();
        let mut run = |count: u64| {
            for _ in 0..count {
                number += 1;
                let mut iid = [b'x'; 36];
                iid[..8].copy_from_slice(&number.to_le_bytes());
                let iid = &iid[..iid_bytes];
                let producer = producers[(number % producer_count) as usize].as_bytes();
                let now_ms = NOW_MS + number / 1_000;
                if idempotence.lookup(producer, iid, now_ms).is_none() {
                    idempotence.record(producer, iid, StreamId::new(now_ms, number), now_ms);
                }
            }
        };
        run(u64::from(maxsize) * producer_count * 2);
        let what = format!("append, {producer_count} producers, {maxsize} iids of {iid_bytes} B");
        best_of(&what, count, || run(count));
    }
    let mut idempotence = fresh(100);
    for number in 0..100_u64 {
        idempotence.record(b"p", &number.to_le_bytes(), StreamId::MIN, NOW_MS);
    }
    let mut found = 0;
    best_of("duplicate, 1 producer, 100 iids", count, || {
        for number in 0..count {
            let iid = (number % 100).to_le_bytes();
            found += u64::from(idempotence.lookup(b"p", &iid, NOW_MS).is_some());
        }
    });
    black_box(found);
}

fn bytes(producer_count: u64) {
    for iid_count in [1, 2, 4, 8, 9, 20, 50, 100, 1_000, 10_000] {
        let before = ALLOCATED.load(Ordering::Relaxed);
        let mut idempotence = fresh(10_000);
        let producer_count = (producer_count * 10 / iid_count).max(1);
        for producer in 0..producer_count {
            for iid in 0..u128::from(iid_count) {
                let name = format!("producer-{producer:06}");
                idempotence.record(name.as_bytes(), &iid.to_le_bytes(), StreamId::MIN, NOW_MS);
            }
        }
        let bytes = ALLOCATED.load(Ordering::Relaxed) - before;
        say!(
            "{producer_count} producers with {iid_count} iids of 16 B: {} B each, {:.1} B per iid (estimate {})",
            bytes as u64 / producer_count,
            bytes as f64 / (iid_count * producer_count) as f64,
            idempotence.allocated_bytes() as u64 / producer_count,
        );
    }
}

/// Many producers with one iid each: the costs that grow with their number.
fn crowd(count: u64) {
    let before = ALLOCATED.load(Ordering::Relaxed);
    let mut idempotence = fresh(100);
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    for producer in 0..count {
        let name = format!("producer-{producer}");
        let started = Instant::now();
        if idempotence
            .lookup(name.as_bytes(), b"0123456789abcdef", NOW_MS)
            .is_none()
        {
            idempotence.record(name.as_bytes(), b"0123456789abcdef", StreamId::MIN, NOW_MS);
        }
        longest = longest.max(started.elapsed());
    }
    let each = started.elapsed().as_nanos() as u64 / count;
    let bytes = (ALLOCATED.load(Ordering::Relaxed) - before) as u64 / count;
    say!("{count} producers: {each} ns to add one, longest {longest:?}; {bytes} B each");

    let started = Instant::now();
    let frozen = idempotence.clone();
    let cloned = started.elapsed();
    let before = ALLOCATED.load(Ordering::Relaxed);
    let started = Instant::now();
    idempotence.record(b"producer-77", b"another", StreamId::MIN, NOW_MS);
    let written = started.elapsed();
    let copied = ALLOCATED.load(Ordering::Relaxed) - before;
    say!("clone {cloned:?}, the first write after it {written:?} and {copied} B");
    let started = Instant::now();
    say!(
        "tracked {:?} in {:?}",
        idempotence.tracked(NOW_MS),
        started.elapsed()
    );
    drop(frozen);

    let now_ms = NOW_MS + 101_000;
    for budget in [500, 1_000, 2_000] {
        let mut idempotence = idempotence.clone();
        // So that this copy shares nothing, which an expiring stream usually does not.
        for producer in (0..count).step_by(30) {
            let name = format!("producer-{producer}");
            idempotence.record(name.as_bytes(), b"own", StreamId::MIN, NOW_MS);
        }
        let mut slices = Vec::new();
        let whole = Instant::now();
        loop {
            let started = Instant::now();
            let expiry = idempotence.expire(now_ms, &mut budget.clone());
            slices.push(started.elapsed());
            if expiry == Expiry::Done {
                break;
            }
        }
        let whole = whole.elapsed();
        slices.sort_unstable();
        say!(
            "expiry by {budget}: {} slices, median {:?}, p99 {:?}, longest {:?}, in all {whole:?}, left {:?}",
            slices.len(),
            slices[slices.len() / 2],
            slices[slices.len() * 99 / 100],
            slices[slices.len() - 1],
            idempotence.stored(),
        );
    }
    let started = Instant::now();
    let retention = idempotence.retention();
    let forgotten = idempotence.configure(retention, Forget::Everything, 0);
    let told = started.elapsed();
    drop(forgotten);
    say!(
        "forget everything {told:?}, to drop it {:?}",
        started.elapsed()
    );
}

fn wheel(count: u64) {
    let mut wheel = Wheel::new(0);
    let mut tick = 0;
    best_of(
        "wheel: insert and pop, deadlines within 100 ticks",
        count,
        || {
            for number in 0..count {
                wheel.insert(tick + 1 + number * 37 % 100, number);
                if number % 1_000 == 0 {
                    tick += 1;
                    while wheel.pop_due(tick, &mut usize::MAX.clone()).is_some() {}
                }
            }
        },
    );
}

fn fingerprints(count: u64) {
    for (pair_count, value_bytes) in [(1, 64), (5, 16), (1, 1_000), (1, 100_000)] {
        let value = vec![b'v'; value_bytes];
        let fields = ["name", "value", "unit", "sensor", "place"];
        let pairs: Vec<&[u8]> = fields[..pair_count]
            .iter()
            .flat_map(|field| [field.as_bytes(), &value])
            .collect();
        let count = (count / (1 + value_bytes as u64 / 100)).max(1);
        let mut sum = 0;
        best_of(
            &format!("fingerprint of {pair_count} pairs of {value_bytes} B"),
            count,
            || {
                for _ in 0..count {
                    sum ^= u128::from_le_bytes(fingerprint(black_box(&pairs).iter().copied(), 7));
                }
            },
        );
        black_box(sum);
    }
}
