//! What pending entries take in memory, by the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use stream::{Acknowledgement, Group, StreamId};

/// Counts what is allocated now, each piece rounded up to sixteen bytes.
struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(layout.size().next_multiple_of(16), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED_BYTES.fetch_sub(layout.size().next_multiple_of(16), Ordering::Relaxed);
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ENTRY_COUNT: u64 = 200_000;

/// Delivers runs to consumers in turn; returns the group, and what it takes for each entry.
fn delivered(run: u64, consumer_count: u64) -> (Group, f64) {
    let start_ms = 1_790_000_000_000;
    let before = ALLOCATED_BYTES.load(Ordering::Relaxed);
    let mut group = Group::new(StreamId::MIN, Some(0));
    for number in 0..ENTRY_COUNT / run {
        let name = format!("consumer-{}", number % consumer_count);
        let now_ms = start_ms + number;
        let consumer = group.create_consumer(name.as_bytes(), now_ms).handle();
        let id = |entry: u64| StreamId::new(start_ms + entry / 4, entry % 4);
        let ids: Vec<_> = (number * run..(number + 1) * run).map(id).collect();
        group.deliver(consumer, &ids, now_ms, Acknowledgement::Awaited, None);
    }
    let bytes = ALLOCATED_BYTES.load(Ordering::Relaxed) - before;
    assert_eq!(group.pending_count() as u64, ENTRY_COUNT);
    let told = group.heap_bytes() as f64 / bytes as f64;
    assert!(
        (0.9..=1.02).contains(&told),
        "heap_bytes told {told} of what was allocated"
    );
    (group, bytes as f64 / ENTRY_COUNT as f64)
}

// One test: others would allocate meanwhile.
#[test]
fn a_pending_entry_takes_few_bytes_in_all_its_orders() {
    for (run, consumer_count) in [(10, 1), (100, 1), (10, 10), (100, 10), (1, 7)] {
        let (group, bytes) = delivered(run, consumer_count);
        assert!(
            bytes < 16.0,
            "{bytes} bytes each, runs of {run}, {consumer_count} consumers"
        );

        let before = ALLOCATED_BYTES.load(Ordering::Relaxed);
        let mut frozen = group.clone();
        let middle = StreamId::new(1_790_000_020_000, 0);
        assert_eq!(frozen.acknowledge(&[middle]), 1);
        let copied = ALLOCATED_BYTES.load(Ordering::Relaxed) - before;
        assert!(
            copied < 32_000,
            "a write after a clone copied {copied} bytes"
        );
    }
}
