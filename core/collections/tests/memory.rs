//! What elements of ordered collections and maps take in memory, by the count of an allocator,
//! beside what Redis 8.6.3 says of the same content (`MEMORY USAGE key SAMPLES 0`).
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use collections::hash::NameHasher;
use collections::sorted::ByBytes;
use collections::{Map, Sequence, Sorted};

/// Counts what is allocated now, each piece as an allocator with jemalloc's size classes gives it.
struct Counting;

thread_local! {
    /// Of this thread alone: the one that waits for the test allocates too. What it frees for
    /// another one counts, so it can be below zero.
    static ALLOCATED_BYTES: Cell<isize> = const { Cell::new(0) };
}

fn allocated_bytes() -> isize {
    ALLOCATED_BYTES.get()
}

fn given(bytes: usize) -> usize {
    let step = if bytes <= 128 {
        16
    } else {
        bytes.next_power_of_two() / 8
    };
    bytes.next_multiple_of(step)
}

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.set(allocated_bytes() + given(layout.size()) as isize);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED_BYTES.set(allocated_bytes() - given(layout.size()) as isize);
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HASHER: NameHasher = NameHasher::new([1, 2]);

/// What a collection of so many elements takes for each of them, and what it says of itself as a
/// share of that.
fn measured<C: Default>(
    len: u64,
    add: impl Fn(&mut C, u64),
    heap_bytes: impl Fn(&C) -> usize,
) -> (f64, f64) {
    let before = allocated_bytes();
    let mut collection = C::default();
    (0..len).for_each(|number| add(&mut collection, number));
    let bytes = allocated_bytes() - before;
    let told = heap_bytes(&collection) as f64 / bytes as f64;
    (bytes as f64 / len as f64, told)
}

fn hash(len: u64) -> (f64, f64) {
    let add = |map: &mut Map<2>, number: u64| {
        let (field, value) = (format!("field:{number:08}"), format!("value:{number:08}"));
        map.insert([field.as_bytes(), value.as_bytes()], HASHER);
    };
    measured(len, add, |map: &Map<2>| map.heap_bytes(0))
}

fn hash_of_numbers(len: u64) -> (f64, f64) {
    let add = |map: &mut Map<2>, number: u64| {
        let (field, value) = (format!("f{number}"), number.to_string());
        map.insert([field.as_bytes(), value.as_bytes()], HASHER);
    };
    measured(len, add, |map: &Map<2>| map.heap_bytes(0))
}

fn set(len: u64) -> (f64, f64) {
    let add = |map: &mut Map<1>, number: u64| {
        map.insert([format!("member:{number:08}").as_bytes()], HASHER);
    };
    measured(len, add, |map: &Map<1>| map.heap_bytes(0))
}

/// The order of a sorted set and its scores by member, as it needs both.
#[derive(Default)]
struct SortedSet(Sorted<ByBytes>, Map<2>);

fn sorted_set(len: u64) -> (f64, f64) {
    let add = |set: &mut SortedSet, number: u64| {
        let (member, score) = (format!("member:{number:08}"), number as f64 * 0.37);
        let score = score.to_bits().to_be_bytes();
        set.0.insert(&[&score, member.as_bytes()].concat());
        set.1.insert([member.as_bytes(), &score], HASHER);
    };
    measured(len, add, |set: &SortedSet| {
        set.0.heap_bytes() + set.1.heap_bytes(0)
    })
}

/// The same in random order.
fn shuffled_sorted_set(len: u64) -> (f64, f64) {
    let add = |set: &mut SortedSet, number: u64| {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let (member, score) = (format!("member:{:08}", number % 100_000_000), number as f64);
        let score = score.to_bits().to_be_bytes();
        set.0.insert(&[&score, member.as_bytes()].concat());
        set.1.insert([member.as_bytes(), &score], HASHER);
    };
    measured(len, add, |set: &SortedSet| {
        set.0.heap_bytes() + set.1.heap_bytes(0)
    })
}

fn list(len: u64) -> (f64, f64) {
    let add = |list: &mut Sequence, number: u64| {
        list.push_back(format!("element:{number:08}").as_bytes());
    };
    measured(len, add, Sequence::heap_bytes)
}

fn list_of_numbers(len: u64) -> (f64, f64) {
    let add = |list: &mut Sequence, number: u64| list.push_front(number.to_string().as_bytes());
    measured(len, add, Sequence::heap_bytes)
}

/// How many elements a large one has here. What they take each does not depend on it.
const LARGE: u64 = 100_000;

// One test: others would allocate meanwhile.
#[test]
fn elements_take_no_more_than_in_redis() {
    /// What is measured, of how many elements, and what Redis takes for each: of large ones, for
    /// each of a million, as it says. What it says of small ones, and of nodes of lists, leaves out
    /// what the allocator gives beyond what was asked for.
    type Row = (&'static str, fn(u64) -> (f64, f64), u64, f64);
    let rows: [Row; 13] = [
        ("hash", hash, 3, 45.0),
        ("hash", hash, 100, given(3239) as f64 / 100.0),
        ("hash", hash, LARGE, 66.4),
        ("hash of numbers", hash_of_numbers, 3, 19.0),
        ("hash of numbers", hash_of_numbers, LARGE, 51.2),
        ("set", set, 3, 30.0),
        ("set", set, 100, given(1739) as f64 / 100.0),
        ("set", set, LARGE, 49.4),
        ("sorted set", sorted_set, LARGE, 101.7),
        ("sorted set, shuffled", shuffled_sorted_set, LARGE, 101.7),
        ("list", list, 100, given(1839) as f64 / 100.0),
        ("list", list, LARGE, 18.13 * 1.01),
        ("list of numbers", list_of_numbers, LARGE, 5.0 * 1.01),
    ];
    let mut wrong = Vec::new();
    for (what, measure, len, redis) in rows {
        let (bytes, told) = measure(len);
        if bytes > redis || !(0.9..=1.05).contains(&told) {
            wrong.push(format!(
                "{what} of {len}: {bytes:.2} bytes each, Redis {redis}; told {told:.3}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A small value takes what its texts take, and two bytes for each.
    let mut list = Sequence::new();
    (0..5).for_each(|number| list.push_back(format!("text:{number:03}").as_bytes()));
    assert_eq!(list.heap_bytes(), given(5 * (8 + 2)));
    let mut map = Map::<2>::new();
    for number in 0..5 {
        let (field, value) = (format!("field-{number}"), format!("value-{number}a"));
        map.insert([field.as_bytes(), value.as_bytes()], HASHER);
    }
    assert_eq!(map.heap_bytes(0), given(5 * (7 + 2 + 8 + 2)));
    // Redis keeps a number below 128 in two bytes, and so does weir in three.
    let mut list = Sequence::new();
    (0..100).for_each(|number| list.push_back(number.to_string().as_bytes()));
    assert_eq!(list.heap_bytes(), 384);
}
