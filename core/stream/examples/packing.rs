//! What packing the chunks of a stream gives and costs.
//!
//! `cargo run --release -p stream --example packing [entries]`, a million entries unless told
//! otherwise. Times are the best of several rounds.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measurement has a clock and an output"
)]

use std::hint::black_box;
use std::time::Instant;

use resp::{Protocol, Reply};
use stream::{Entries, NodeLimits, StreamId, Unpacked};

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(1_000_000);
    println!("5 small JSON documents");
    measure(count, small_documents);
    println!("a JSON document of about 200 characters");
    measure(count, one_document);
    println!("64 random characters");
    measure(count, noise);
}

/// The finaliser of SplitMix64.
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn text(number: u64, chars: usize) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = (0..chars as u64).map(|index| mixed(number ^ (index << 40)) as usize);
    bits.map(|bits| char::from(alphabet[bits % 64])).collect()
}

fn small_documents(number: u64) -> Vec<String> {
    let random = mixed(number);
    let region = ["eu-west", "us-east", "ap-nort"][random as usize % 3];
    let status = ["\"up\" ", "\"off\"", "\"err\""][(random >> 8) as usize % 3];
    let values = [
        format!("{{\"id\":{number:09}}}"),
        format!(
            "{{\"celsius\":{:02}.{}}}",
            (random >> 16) % 100,
            (random >> 24) % 10
        ),
        format!("{{\"at\":\"{region}\"}}"),
        format!("{{\"status\":{status}}}"),
        format!("{{\"t\":{:010}}}", (random >> 28) % 10_000_000_000),
    ];
    let names = ["device", "reading", "region", "status", "trace"];
    let pairs = names.into_iter().map(str::to_owned).zip(values);
    pairs.flat_map(|(name, value)| [name, value]).collect()
}

fn one_document(number: u64) -> Vec<String> {
    let random = mixed(number);
    let state = ["created", "payment", "shipped", "refused"][random as usize % 4];
    let (customer, amount) = ((random >> 8) % 100_000_000, (random >> 36) % 1_000_000);
    let sku = text(number, 8);
    let document = format!(
        "{{\"order\":\"o-{number:012}\",\"customer\":\"c-{customer:08}\",\"state\":\"{state}\",\"currency\":\"EUR\",\
         \"amount\":{amount:06},\"items\":[{{\"sku\":\"{sku}\",\"count\":{}}}],\"at\":\"2026-11-{:02}T{:02}:{:02}Z\",\
         \"source\":\"web-shop\"}}",
        random >> 60,
        (random >> 50) % 28 + 1,
        (random >> 40) % 24,
        (random >> 32) % 60
    );
    vec!["event".to_owned(), document]
}

fn noise(number: u64) -> Vec<String> {
    vec!["payload".to_owned(), text(number, 64)]
}

fn id(number: u64) -> StreamId {
    StreamId::new(1_790_000_000_000 + number, 0)
}

fn measure(count: u64, fields: fn(u64) -> Vec<String>) {
    let mut plain = Entries::new();
    for number in 0..count {
        let fields = fields(number);
        let texts = fields.iter().map(String::as_bytes);
        let _ = plain.append(id(number), texts, NodeLimits::DEFAULT);
    }
    let mut packed = plain.clone();
    packed.pack();
    for (what, entries) in [("plain", &plain), ("packed", &packed)] {
        let bytes = entries.heap_bytes(0) as f64 / count as f64;
        println!("  {what}: {bytes:.1} bytes an entry");
    }
    let chunks = plain.chunk_count() as u64;
    report("pack, us a chunk", chunks * 1000, || {
        let mut entries = plain.clone();
        entries.pack();
        entries
    });
    for (what, entries) in [("plain", &plain), ("packed", &packed)] {
        let mut reply = Reply::new(Protocol::Resp2);
        let mut unpacked = Unpacked::default();
        for limit in [1, 10, 100, 1000] {
            report(
                &format!("{what}: write_range {limit}, ns"),
                count / limit,
                || {
                    let mut start = StreamId::MIN;
                    for run in 1..=count / limit {
                        reply.clear();
                        entries.write_range(start, StreamId::MAX, limit, &mut unpacked, &mut reply);
                        start = id(run * limit);
                    }
                },
            );
        }
        report(&format!("{what}: look up neighbours, ns"), count, || {
            let mut look = entries.look_up();
            (0..count)
                .filter(|&number| look.contains(id(number)))
                .count()
        });
    }
}

/// Prints the best of several rounds, so that what else the machine does counts little.
fn report<R>(what: &str, count: u64, mut work: impl FnMut() -> R) {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        black_box(work());
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
    }
    println!("  {what:34} {best:8.1}");
}
