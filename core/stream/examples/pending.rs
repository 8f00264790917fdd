//! What the pending entries of a group cost, in time and memory.
//!
//! `cargo run --release -p stream --example pending [entries [part of a name]]` prints nanoseconds
//! per entry for the things that consumers do, with a million entries pending unless told otherwise.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measurement has a clock and an output"
)]

use std::hint::black_box;
use std::time::Instant;

use stream::{
    Acknowledgement, ConsumerHandle, CountChange, Group, Groups, Holder, IdleAtLeast, Missing,
    StreamId,
};

const START_MS: u64 = 1_790_000_000_000;

/// Entries come about four a millisecond.
fn id(number: u64) -> StreamId {
    StreamId::new(START_MS + number / 4, number % 4)
}

fn ids(from: u64, count: u64) -> Vec<StreamId> {
    (from..from + count).map(id).collect()
}

/// A group with so many consumers that read in turn, `run` entries at a time.
fn filled(count: u64, run: u64, consumers: u64) -> (Group, Vec<ConsumerHandle>) {
    let mut group = Group::new(StreamId::MIN, Some(0));
    let handles: Vec<_> = (0..consumers)
        .map(|number| group.create_consumer(format!("consumer-{number}").as_bytes(), START_MS))
        .map(|created| created.handle())
        .collect();
    let runs: Vec<_> = (0..count / run)
        .map(|number| ids(number * run, run))
        .collect();
    for (number, ids) in runs.iter().enumerate() {
        let consumer = handles[number % handles.len()];
        let now_ms = START_MS + number as u64;
        group.deliver(consumer, ids, now_ms, Acknowledgement::Awaited, None);
    }
    (group, handles)
}

/// Prints the best of several rounds, so that what else the machine does counts little.
fn report<T>(what: &str, entry_count: u64, make: impl Fn() -> T, work: impl Fn(&mut T)) {
    let wanted = std::env::args().nth(2).unwrap_or_default();
    if !what.contains(&wanted) {
        return;
    }
    let round = |_| {
        let mut subject = make();
        let start = Instant::now();
        work(&mut subject);
        start.elapsed().as_nanos() as f64 / entry_count as f64
    };
    let best = (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
    println!("{what:<60} {best:8.1} ns");
}

const ROUNDS: u32 = 7;

fn report_runs(count: u64, run: u64) {
    let runs: Vec<_> = (0..count / run)
        .map(|number| ids(number * run, run))
        .collect();
    let deliver = |group: &mut Group, handles: &[ConsumerHandle], number: usize| {
        let consumer = handles[number % handles.len()];
        let now_ms = START_MS + number as u64;
        let ids = &runs[number];
        group.deliver(consumer, ids, now_ms, Acknowledgement::Awaited, None);
    };
    let what = format!("deliver, runs of {run}, to 10 consumers");
    report(
        &what,
        count,
        || filled(0, 1, 10),
        |(group, handles)| {
            (0..runs.len()).for_each(|number| deliver(group, handles, number));
        },
    );
    let what = format!("acknowledge, runs of {run}, oldest first");
    report(
        &what,
        count,
        || filled(count, run, 10),
        |(group, _)| {
            for ids in &runs {
                assert_eq!(group.acknowledge(ids), ids.len());
            }
        },
    );
    let what = format!("deliver and acknowledge in turn, runs of {run}");
    report(
        &what,
        count,
        || filled(0, 1, 10),
        |(group, handles)| {
            for (number, ids) in runs.iter().enumerate() {
                deliver(group, handles, number);
                assert_eq!(group.acknowledge(ids), ids.len());
            }
        },
    );
    let what = format!("claim the longest idle {run}");
    report(
        &what,
        count / 2,
        || filled(count, 100, 10),
        |(group, handles)| {
            for number in 0..count / 2 / run {
                let now_ms = START_MS + count + number;
                let idle = IdleAtLeast {
                    idle_ms_min: 1000,
                    now_ms,
                };
                let ids: Vec<_> = group.pending_by_age(idle).take(run as usize).collect();
                let consumer = handles[number as usize % handles.len()];
                let holder = Holder {
                    consumer,
                    delivered_ms: now_ms,
                };
                group.claim(holder, &ids, CountChange::Raise, Missing::Skip);
            }
        },
    );
}

fn main() {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000_000);
    for (run, consumers) in [(10, 1), (100, 1), (10, 10), (100, 10)] {
        let (group, _) = filled(count, run, consumers);
        let bytes = group.heap_bytes() as f64 / count as f64;
        println!("{count} pending, runs of {run}, {consumers} consumers: {bytes:.1} bytes each");
    }
    for run in [1, 10, 100] {
        report_runs(count, run);
    }

    let mut random = 1_u64;
    let some: Vec<_> = (0..count.min(100_000))
        .map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            id((random >> 33) % count)
        })
        .collect();
    let some_count = some.len() as u64;
    let full = || filled(count, 100, 10);
    report("find at random", some_count, full, |(group, _)| {
        assert_eq!(
            some.iter().filter_map(|&id| group.pending(id)).count(),
            some.len()
        );
    });
    report("acknowledge at random", some_count, full, |(group, _)| {
        some.iter().for_each(|&id| {
            black_box(group.acknowledge(&[id]));
        });
    });
    let shared = || {
        let (group, _) = full();
        (group.clone(), group)
    };
    report(
        "acknowledge at random, shared",
        some_count,
        shared,
        |(group, _)| {
            some.iter().for_each(|&id| {
                black_box(group.acknowledge(&[id]));
            });
        },
    );
    report("give back at random", some_count, full, |(group, _)| {
        some.iter().for_each(|&id| group.give_back(id, 1));
    });
    report("list all by ID", count, full, |(group, _)| {
        assert_eq!(
            group.pending_range(StreamId::MIN, StreamId::MAX).count() as u64,
            count
        );
    });
    report(
        "list a consumer's history",
        count / 10,
        full,
        |(group, handles)| {
            let consumer = group.consumer_at(handles[2]);
            black_box(consumer.map(|consumer| consumer.pending_ids(StreamId::MIN).count()));
        },
    );
    report(
        "list a consumer's entries",
        count / 10,
        full,
        |(group, handles)| {
            let entries = group.pending_range_of(handles[2], StreamId::MIN, StreamId::MAX);
            black_box(entries.count());
        },
    );
    report(
        "delete a consumer of a tenth",
        count / 10,
        full,
        |(group, handles)| {
            group.delete_consumer(handles[2]);
        },
    );
    let groups = || {
        let mut groups = Groups::new();
        groups.insert(b"workers", full().0);
        (groups.clone(), groups)
    };
    report("clone all", 1, groups, |(groups, _)| {
        black_box(groups.clone());
    });
    report("first write after a clone", 1, groups, |(groups, _)| {
        black_box(groups.forget(id(count / 2)));
    });
}
