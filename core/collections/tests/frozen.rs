//! What a write copies while a frozen view shares the collection, by the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use collections::hash::NameHasher;
use collections::sorted::ByBytes;
use collections::tree::{Edit, Tree};
use collections::wheel::Wheel;
use collections::{Directory, Map, NameMap, Sequence, Sorted};

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
const SIZES_OF_TEXTS: [u64; 3] = [100, 10_000, 1_000_000];

/// Writes to a collection at several places, each time after it was frozen, and does the same to a
/// twin that is never frozen. How many bytes the worst write took more than that of the twin.
fn most_copied<C: Clone>(make: impl Fn() -> C, write: impl Fn(&mut C, u64)) -> usize {
    most_copied_of(&mut [make(), make()], write)
}

/// The same of a collection and its twin.
fn most_copied_of<C: Clone>(twins: &mut [C; 2], write: impl Fn(&mut C, u64)) -> usize {
    let [collection, twin] = twins;
    let measured = (0..50).map(|place| {
        let frozen = collection.clone();
        let with_view = allocated(|| write(collection, place));
        drop(frozen);
        with_view.saturating_sub(allocated(|| write(twin, place)))
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
type Record = [u64; 6];

fn directory(len: u64) -> Directory<Record> {
    let mut directory = Directory::new();
    for number in 0..len {
        add(&mut directory, number);
    }
    directory
}

fn add(directory: &mut Directory<Record>, number: u64) {
    directory.insert(mix(number), [number; 6], |record| mix(record[0]));
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

const HASHER: NameHasher = NameHasher::new([1, 2]);

/// Every hundredth is as long as it gets without being kept by itself.
fn text(number: u64) -> Vec<u8> {
    let tail = if number.is_multiple_of(100) { 1000 } else { 8 };
    [number.to_be_bytes().as_slice(), &vec![b'x'; tail]].concat()
}

/// One that is kept by itself: only what points to it is copied.
fn long_text(number: u64) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), &[b'x'; 100_000]].concat()
}

fn sequence(len: u64) -> Sequence {
    let mut sequence = Sequence::new();
    (0..len).for_each(|number| sequence.push_back(&text(number)));
    sequence.insert(sequence.len() / 2, &long_text(0));
    sequence
}

fn sorted(len: u64) -> Sorted<ByBytes> {
    let mut sorted = Sorted::new();
    (0..len).for_each(|number| {
        sorted.insert(&text(number * 2));
    });
    sorted.insert(&long_text(len));
    sorted
}

fn map(len: u64) -> Map<2> {
    let mut map = Map::new();
    (0..len).for_each(|number| {
        map.insert([&mix(number).to_be_bytes(), &text(number)], HASHER);
    });
    map.insert([b"long", &long_text(1)], HASHER);
    map
}

fn names(len: u64) -> NameMap<u64> {
    let mut names = NameMap::default();
    (0..len).for_each(|number| {
        names.insert(name(number * 2), number);
    });
    names
}

fn name(number: u64) -> collections::names::Name {
    number.to_be_bytes().iter().copied().collect()
}

fn of_sequences(len: u64) -> [(&'static str, usize); 4] {
    let places = move |place| (place * (len / 50)) as usize;
    let mut twins = [sequence(len), sequence(len)];
    [
        (
            "sequence, push",
            most_copied_of(&mut twins, |list, place| list.push_back(&text(place))),
        ),
        (
            "sequence, insert",
            most_copied_of(&mut twins, |list, place| {
                list.insert(places(place), &text(place))
            }),
        ),
        (
            "sequence, set",
            most_copied_of(&mut twins, |list, place| {
                list.set(places(place), b"x");
            }),
        ),
        (
            "sequence, remove",
            most_copied_of(&mut twins, |list, place| {
                list.remove(places(place), places(place) + 1)
            }),
        ),
    ]
}

fn of_sorted(len: u64) -> [(&'static str, usize); 2] {
    let places = move |place| place * (len / 50) * 2;
    let mut twins = [sorted(len), sorted(len)];
    [
        (
            "sorted, insert",
            most_copied_of(&mut twins, |sorted, place| {
                sorted.insert(&text(places(place) + 1));
            }),
        ),
        (
            "sorted, remove",
            most_copied_of(&mut twins, |sorted, place| {
                assert!(sorted.remove(&text(places(place))));
            }),
        ),
    ]
}

fn of_maps(len: u64) -> [(&'static str, usize); 3] {
    let mut twins = [map(len), map(len)];
    [
        (
            "map, insert",
            most_copied_of(&mut twins, |map, place| {
                map.insert([&mix(len + place).to_be_bytes(), b"value"], HASHER);
            }),
        ),
        (
            "map, change",
            most_copied_of(&mut twins, |map, place| {
                map.insert([&mix(place).to_be_bytes(), b"value"], HASHER);
            }),
        ),
        (
            "map, remove",
            most_copied_of(&mut twins, |map, place| {
                assert!(map.remove(&mix(place).to_be_bytes()))
            }),
        ),
    ]
}

fn of_names(len: u64) -> [(&'static str, usize); 3] {
    let places = move |place| place * (len / 50) * 2;
    let mut twins = [names(len), names(len)];
    [
        (
            "names, insert",
            most_copied_of(&mut twins, |names, place| {
                names.insert(name(places(place) + 1), 0);
            }),
        ),
        (
            "names, change",
            most_copied_of(&mut twins, |names, place| {
                names
                    .find_mut(&name(places(place)))
                    .into_iter()
                    .for_each(|it| *it += 1)
            }),
        ),
        (
            "names, remove",
            most_copied_of(&mut twins, |names, place| {
                assert!(names.remove(&name(places(place))).is_some());
            }),
        ),
    ]
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
        copied
            .into_iter()
            .for_each(|(what, bytes)| check(what, len, bytes));
    }
    for len in SIZES_OF_TEXTS {
        let copied = of_sequences(len).into_iter().chain(of_sorted(len));
        let copied = copied.chain(of_maps(len)).chain(of_names(len));
        copied.for_each(|(what, bytes)| check(what, len, bytes));
    }
}

fn check(what: &str, len: u64, bytes: usize) {
    assert!(
        bytes < COPIED_BYTES_MAX,
        "{what} of {len} copied {bytes} bytes"
    );
}
