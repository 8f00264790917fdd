//! What entries cost, in time and memory.
//!
//! `cargo run --release -p stream --example entries [entries [part of a name]]`, a million entries
//! unless told otherwise. Times are nanoseconds per entry, the best of several rounds.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measurement has a clock and an output"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use resp::{Protocol, Reply};
use stream::{Entries, NodeLimits, StreamId, Unpacked};

struct Counting;
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "a counting allocator cannot be written otherwise"
)]
// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(class(layout.size()), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(class(layout.size()), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What jemalloc takes for this many bytes: four sizes for each doubling.
fn class(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 8).max(16);
    bytes.next_multiple_of(step)
}

const START_MS: u64 = 1_790_000_000_000;

fn id(number: u64) -> StreamId {
    StreamId::new(START_MS + number / 4, number % 4)
}

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(1_000_000);
    let value64 = [b'v'; 64];
    let one: &[&[u8]] = &[b"field", &value64];
    let value16 = [b'v'; 16];
    let names = ["temperature", "humidity", "device", "site", "pressure"];
    let five: Vec<&[u8]> = names
        .iter()
        .flat_map(|name| [name.as_bytes(), &value16])
        .collect();
    for (what, fields) in [("1 x 64 B", one), ("5 x 16 B", &five)] {
        println!("{what}");
        measure(count, fields);
    }
}

fn filled(count: u64, fields: &[&[u8]]) -> Entries {
    let mut entries = Entries::new();
    for number in 0..count {
        let _ = entries.append(id(number), fields.iter().copied(), NodeLimits::DEFAULT);
    }
    entries
}

fn measure(count: u64, fields: &[&[u8]]) {
    let before = ALLOCATED.load(Ordering::Relaxed);
    let entries = filled(count, fields);
    let bytes = ALLOCATED.load(Ordering::Relaxed) - before;
    let per_entry = |bytes: usize| bytes as f64 / count as f64;
    println!("  {:34} {:8.2}", "bytes", per_entry(bytes));
    println!(
        "  {:34} {:8.2}",
        "bytes as heap_bytes says",
        per_entry(entries.heap_bytes(0))
    );
    for few in [1, 2, 5, 10, 30, 60, 100] {
        let small = filled(few, fields);
        println!(
            "  {:34} {:8}",
            format!("bytes of {few} entries"),
            small.heap_bytes(0)
        );
    }

    report("append", count, || (), |()| filled(count, fields));
    report("clone (whole, in ns)", 1, || (), |()| entries.clone());
    let mut reply = Reply::new(Protocol::Resp2);
    let mut unpacked = Unpacked::default();
    for limit in [10, 100, 1000] {
        report(
            &format!("write_range {limit}"),
            count,
            || (),
            |()| {
                let mut start = StreamId::MIN;
                for run in 1..=count / limit {
                    reply.clear();
                    entries.write_range(start, StreamId::MAX, limit, &mut unpacked, &mut reply);
                    start = id(run * limit);
                }
                reply.len()
            },
        );
    }
    report(
        "write_range_reverse 100",
        count,
        || (),
        |()| {
            for run in 1..=count / 100 {
                reply.clear();
                entries.write_range_reverse(StreamId::MIN, id(run * 100), 100, &mut reply);
            }
            reply.len()
        },
    );
    report(
        "range and write each",
        count,
        || (),
        |()| {
            reply.clear();
            for (number, entry) in entries.iter().enumerate() {
                if number % 1024 == 0 {
                    reply.clear();
                }
                entry.write(&mut reply);
            }
        },
    );
    report(
        "entry by ID, at random",
        count,
        || (),
        |()| {
            let found = (0..count).filter(|number| entries.contains(id(number * 7919 % count)));
            found.count()
        },
    );
    report(
        "count_above",
        count,
        || (),
        |()| {
            let counts = (0..count).map(|number| entries.count_above(id(number * 7919 % count)));
            counts.max()
        },
    );
    report(
        "delete from the front",
        count,
        || entries.clone(),
        |entries| {
            (0..count)
                .filter(|&number| entries.delete(id(number)))
                .count()
        },
    );
    report(
        "delete at random",
        count,
        || entries.clone(),
        |entries| {
            (0..count)
                .filter(|&number| entries.delete(id(number * 7919 % count)))
                .count()
        },
    );
    report("append, hold 1000", count, Entries::new, |entries| {
        for number in 0..count {
            let _ = entries.append(id(number), fields.iter().copied(), NodeLimits::DEFAULT);
            if number >= 1000 {
                entries.remove_through(id(number - 1000));
            }
        }
    });
}

/// Prints the best of several rounds, so that what else the machine does counts little.
fn report<T, R>(what: &str, count: u64, make: impl Fn() -> T, mut work: impl FnMut(&mut T) -> R) {
    let wanted = std::env::args().nth(2).unwrap_or_default();
    if !what.contains(&wanted) {
        return;
    }
    let mut best = f64::INFINITY;
    for _ in 0..(5_000_000 / count.max(1)).clamp(5, 300) {
        let mut subject = make();
        let start = Instant::now();
        let result = work(&mut subject);
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
        black_box(result);
    }
    println!("  {what:34} {best:8.1}");
}
