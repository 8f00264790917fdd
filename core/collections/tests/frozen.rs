//! What a write copies while a frozen view shares the collection, by the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use collections::Directory;
use collections::tree::{Edit, Tree};
use collections::wheel::Wheel;

/// Counts all that is allocated, however soon it is freed again.
struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a frozen view may add to what a write allocates.
const COPIED_BYTES_MAX: usize = 16 << 10;

const SIZES: [u64; 3] = [100, 10_000, 300_000];

/// Writes to a collection at several places, each time after it was frozen, and does the same to a
/// twin that is never frozen. How many bytes the worst write took more than that of the twin.
fn most_copied<C: Clone>(make: impl Fn() -> C, write: impl Fn(&mut C, u64)) -> usize {
    let (mut collection, mut twin) = (make(), make());
    let measured = (0..50).map(|place| {
        let frozen = collection.clone();
        let with_view = allocated(|| write(&mut collection, place));
        drop(frozen);
        with_view.saturating_sub(allocated(|| write(&mut twin, place)))
    });
    measured.max().unwrap_or(0)
}

fn allocated(work: impl FnOnce()) -> usize {
    let before = ALLOCATED_BYTES.load(Ordering::Relaxed);
    work();
    ALLOCATED_BYTES.load(Ordering::Relaxed) - before
}

/// Spreads numbers over all 64 bits.
fn mix(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// As large as a key with its value.
type Record = [u64; 9];

fn directory(len: u64) -> Directory<Record> {
    let mut directory = Directory::new();
    for number in 0..len {
        add(&mut directory, number);
    }
    directory
}

fn add(directory: &mut Directory<Record>, number: u64) {
    directory.insert(mix(number), [number; 9], |record| mix(record[0]));
}

/// A pending entry with its time of delivery and its owner, as a group keeps it.
fn row(number: u64) -> [u64; 6] {
    let ms = 1_790_000_000_000 + number / 4;
    [ms, number % 4, ms + mix(number) % 60_000, 0, 1, number % 9]
}

fn tree(len: u64) -> Tree<6, 2> {
    let mut tree = Tree::new();
    for start in (0..len).step_by(100) {
        let rows: Vec<_> = (start..start + 100).map(|number| row(2 * number)).collect();
        tree.append(rows.into_iter());
    }
    tree
}

fn wheel(len: u64) -> Wheel<u64> {
    let mut wheel = Wheel::new(0);
    for number in 0..len {
        wheel.insert(mix(number) >> 40, number);
    }
    wheel
}

// One test: others would allocate meanwhile.
#[test]
fn a_write_after_a_freeze_copies_little_whatever_the_size() {
    for len in SIZES {
        let copied = [
            (
                "directory, insert",
                most_copied(
                    || directory(len),
                    |directory, place| {
                        add(directory, len + place);
                    },
                ),
            ),
            (
                "directory, change",
                most_copied(
                    || directory(len),
                    |directory, place| {
                        let number = mix(place) % len;
                        let found = directory.find_mut(mix(number), |record| record[0] == number);
                        found.unwrap()[1] += 1;
                    },
                ),
            ),
            (
                "tree, insert",
                most_copied(
                    || tree(len),
                    |tree, place| {
                        tree.insert(&row(2 * (place * (len / 50)) + 1));
                    },
                ),
            ),
            (
                "tree, change",
                most_copied(
                    || tree(len),
                    |tree, place| {
                        let [ms, seq, ..] = row(2 * (mix(place) % len));
                        tree.edit(&[[ms, seq]], |row| {
                            row[4] += 1;
                            Edit::Keep
                        });
                    },
                ),
            ),
            (
                "tree, remove",
                most_copied(
                    || tree(len),
                    |tree, place| {
                        let [ms, seq, ..] = row(2 * (mix(place) % len));
                        tree.edit(&[[ms, seq]], |_| Edit::Remove);
                    },
                ),
            ),
            (
                "wheel, insert",
                most_copied(
                    || wheel(len),
                    |wheel, place| wheel.insert(place * 300, place),
                ),
            ),
            (
                "wheel, a deadline",
                most_copied(
                    || wheel(len),
                    |wheel, _| {
                        let mut budget = 1;
                        wheel.pop_due(u64::MAX, &mut budget);
                    },
                ),
            ),
        ];
        for (what, bytes) in copied {
            assert!(
                bytes < COPIED_BYTES_MAX,
                "{what} of {len} copied {bytes} bytes"
            );
        }
    }
}
