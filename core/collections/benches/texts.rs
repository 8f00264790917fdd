//! Times of the collections of texts: `cargo bench -p collections --bench texts`. Without `--bench`
//! it only runs once with few elements, so that a test run shows that it still works.
#![expect(clippy::disallowed_methods, reason = "it measures and reports")]
#![expect(clippy::disallowed_types, reason = "it measures and reports")]
#![expect(clippy::print_stdout, reason = "it measures and reports")]

use std::hint::black_box;
use std::time::Instant;

use collections::hash::NameHasher;
use collections::sorted::ByBytes;
use collections::{Map, Sequence, Sorted};

const HASHER: NameHasher = NameHasher::new([1, 2]);

fn is_measuring() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// Does something for each number below `len`, and says how long one took.
fn measure(what: &str, len: u64, mut work: impl FnMut(u64)) {
    let start = Instant::now();
    (0..len).for_each(&mut work);
    let ns = start.elapsed().as_nanos() as f64 / len as f64;
    if is_measuring() {
        println!("{what:24} of {len:9}: {ns:8.1} ns");
    }
}

/// Numbers below `len` in random order, each once if `len` is a power of two.
fn shuffled(number: u64, len: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % len
}

fn text(number: u64) -> [u8; 16] {
    let mut text = *b"member:000000000";
    let digits = number.to_string();
    text[16 - digits.len()..].copy_from_slice(digits.as_bytes());
    text
}

fn scored(number: u64) -> [u8; 24] {
    let mut both = [0; 24];
    both[..8].copy_from_slice(&number.to_be_bytes());
    both[8..].copy_from_slice(&text(number));
    both
}

fn main() {
    let sizes: &[u64] = if is_measuring() {
        &[64, 1 << 14, 1 << 20]
    } else {
        &[64, 1 << 10]
    };
    for &len in sizes {
        let mut map = Map::<2>::new();
        measure("map, insert", len, |number| {
            map.insert([&text(shuffled(number, len)), b"value"], HASHER);
        });
        measure("map, find", len, |number| {
            black_box(map.find(&text(shuffled(number, len))));
        });
        measure("map, change", len, |number| {
            map.insert([&text(shuffled(number, len)), b"other"], HASHER);
        });
        measure("map, remove", len, |number| {
            assert!(map.remove(&text(shuffled(number, len))));
        });
        let mut sorted = Sorted::<ByBytes>::new();
        measure("sorted, insert", len, |number| {
            sorted.insert(&scored(shuffled(number, len)));
        });
        measure("sorted, rank", len, |number| {
            assert!(sorted.rank(&scored(shuffled(number, len))).is_ok());
        });
        measure("sorted, nth", len, |number| {
            black_box(sorted.get(shuffled(number, len) as usize));
        });
        let mut walk = sorted.iter();
        measure("sorted, next", len, |_| {
            black_box(walk.next());
        });
        measure("sorted, remove", len, |number| {
            assert!(sorted.remove(&scored(shuffled(number, len))));
        });
        let mut list = Sequence::new();
        measure("sequence, push back", len, |number| {
            list.push_back(&text(number))
        });
        measure("sequence, pop front", len, |_| list.remove(0, 1));
        measure("sequence, push front", len, |number| {
            list.push_front(&text(number))
        });
        measure("sequence, get", len, |number| {
            black_box(list.get(shuffled(number, len) as usize));
        });
        measure("sequence, insert", len, |number| {
            list.insert(shuffled(number, len) as usize, b"between");
        });
    }
}
