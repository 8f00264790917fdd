//! What a record of a replicated log costs its writer, beside the copy of its body.
//!
//! `cargo run --release -p sim --example record_cost`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use batch::Lsn;
use replication::{Chain, Epoch, Kind, Record, Seq};

const ROUNDS: u32 = 2000;

/// How long this takes when nothing else gets in the way.
fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..ROUNDS).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed()
    });
    times.min().unwrap_or_default()
}

fn main() {
    for kib in [1, 4, 16, 64, 256] {
        let body = vec![b'x'; kib << 10];
        let record = Record {
            kind: Kind::Batch {
                first: Lsn::new(1),
                part: 0,
                parts: 1,
            },
            epoch: Epoch {
                number: 1,
                nonce: 1,
            },
            last: Lsn::new(100),
            prev: Chain::START,
            acked: Seq::ZERO,
            body: &body,
        };
        let encode = best(|| {
            black_box(black_box(record).encode());
        });
        let bytes = record.encode();
        let chain = best(|| {
            black_box(Chain::after(black_box(&bytes)));
        });
        println!("{kib} KiB: copy and checksum {encode:.1?}, chain {chain:.1?}");
    }
}
