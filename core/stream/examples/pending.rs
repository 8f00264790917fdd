//! What the pending entries of a group cost, in time and memory.
//!
//! `cargo run --release -p stream --example pending [entries [part of a name]]` prints nanoseconds
//! per entry for the things that consumers do, with a million entries pending unless told
//! otherwise.
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

/// A group with this many consumers that read in turn, `run` entries at a time.
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

/// Does something step by step, and prints what an entry costs in the typical slice of about a
/// thousand entries, and in the tenth of the slices that were disturbed least.
fn report<T>(
    what: &str,
    entries_per_step: u64,
    step_count: usize,
    make: impl Fn() -> T,
    mut step: impl FnMut(&mut T, usize),
) {
    let wanted = std::env::args().nth(2).unwrap_or_default();
    if !what.contains(&wanted) {
        return;
    }
    let slice_len = (SLICE_ENTRIES / entries_per_step).max(1) as usize;
    let mut slices_ns = Vec::new();
    for _ in 0..ROUNDS {
        let mut subject = make();
        let mut next = 0;
        while next < step_count {
            let end = (next + slice_len).min(step_count);
            let start = Instant::now();
            (next..end).for_each(|number| step(&mut subject, number));
            let entry_count = (end - next) as u64 * entries_per_step;
            slices_ns.push(start.elapsed().as_nanos() as f64 / entry_count as f64);
            next = end;
        }
    }
    slices_ns.sort_unstable_by(f64::total_cmp);
    let (typical, best) = (
        slices_ns[slices_ns.len() / 2],
        slices_ns[slices_ns.len() / 10],
    );
    println!("{what:<50} {typical:9.1} ns, undisturbed {best:9.1} ns");
}

const ROUNDS: u32 = 5;
const SLICE_ENTRIES: u64 = 1000;

fn report_runs(count: u64, run: u64) {
    let step_count = (count / run) as usize;
    let deliver = |group: &mut Group, handles: &[ConsumerHandle], number: usize, ids: &[_]| {
        let consumer = handles[number % handles.len()];
        let now_ms = START_MS + number as u64;
        group.deliver(consumer, ids, now_ms, Acknowledgement::Awaited, None);
    };
    let runs: Vec<_> = (0..count / run)
        .map(|number| ids(number * run, run))
        .collect();
    let what = format!("deliver, runs of {run}");
    report(
        &what,
        run,
        step_count,
        || filled(0, 1, 10),
        |(group, handles), number| {
            deliver(group, handles, number, &runs[number]);
        },
    );
    let what = format!("acknowledge oldest first, runs of {run}");
    report(
        &what,
        run,
        step_count,
        || filled(count, run, 10),
        |(group, _), number| {
            assert_eq!(group.acknowledge(&runs[number]) as u64, run);
        },
    );
    let what = format!("deliver and acknowledge in turn, runs of {run}");
    report(
        &what,
        run,
        step_count,
        || filled(0, 1, 10),
        |(group, handles), number| {
            deliver(group, handles, number, &runs[number]);
            assert_eq!(group.acknowledge(&runs[number]) as u64, run);
        },
    );
    let what = format!("claim the longest idle {run}");
    let claim = |(group, handles): &mut (Group, Vec<_>), number: usize| {
        let now_ms = START_MS + count + number as u64;
        let idle = IdleAtLeast {
            idle_ms_min: 1000,
            now_ms,
        };
        let ids: Vec<_> = group.pending_by_age(idle).take(run as usize).collect();
        let holder = Holder {
            consumer: handles[number % 10],
            delivered_ms: now_ms,
        };
        assert_eq!(
            group.claim(holder, &ids, CountChange::Raise, Missing::Skip) as u64,
            run
        );
    };
    report(&what, run, step_count / 2, || filled(count, 100, 10), claim);
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
    let full = || filled(count, 100, 10);
    report(
        "find at random",
        1,
        some.len(),
        full,
        |(group, _), number| {
            assert!(group.pending(some[number]).is_some());
        },
    );
    report(
        "acknowledge at random",
        1,
        some.len(),
        full,
        |(group, _), number| {
            black_box(group.acknowledge(&[some[number]]));
        },
    );
    let shared = || {
        let (group, _) = full();
        (group.clone(), group)
    };
    report(
        "acknowledge at random, shared",
        1,
        some.len(),
        shared,
        |(group, _), number| {
            black_box(group.acknowledge(&[some[number]]));
        },
    );
    report(
        "give back at random",
        1,
        some.len(),
        full,
        |(group, _), number| {
            group.give_back(some[number], 1);
        },
    );
    report("list all by ID", count, 1, full, |(group, _), _| {
        assert_eq!(
            group.pending_range(StreamId::MIN, StreamId::MAX).count() as u64,
            count
        );
    });
    report(
        "list a consumer's history",
        count / 10,
        1,
        full,
        |(group, handles), _| {
            let consumer = group.consumer_at(handles[2]);
            black_box(consumer.map(|consumer| consumer.pending_ids(StreamId::MIN).count()));
        },
    );
    report(
        "list a consumer's entries",
        count / 10,
        1,
        full,
        |(group, handles), _| {
            let entries = group.pending_range_of(handles[2], StreamId::MIN, StreamId::MAX);
            black_box(entries.count());
        },
    );
    report(
        "delete a consumer of a tenth",
        count / 10,
        1,
        full,
        |(group, handles), _| {
            group.delete_consumer(handles[2]);
        },
    );
    let groups = || {
        let mut groups = Groups::new();
        groups.insert(b"workers", full().0);
        (groups.clone(), groups)
    };
    report("clone all", 1, 1, groups, |(groups, _), _| {
        black_box(groups.clone());
    });
    report(
        "first write after a clone",
        1,
        1,
        groups,
        |(groups, _), _| {
            black_box(groups.forget(id(count / 2)));
        },
    );
}
