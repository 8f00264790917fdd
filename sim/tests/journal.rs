//! The journal on the simulated disk. `SIM_SEEDS=100000` runs more seeds, `SIM_SEED=17` one.

use std::sync::Arc;
use std::time::Duration;

use journal::{
    Commit, Cut, Elapsed, Event, Gathered, Health, Lsn, Names, Recovery, SyncPolicy, TornTail,
};
use sim::disk::{Failure, SimDisk};
use sim::journal_run::{Bug, Chaos, Outcome, Plan, run};
use sim::rng::Rng;
use sim::seeds::seeds;

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        steps: 120,
        power_cut_at: None,
        chaos: Chaos::Planned,
        bug: None,
    }
}

fn run_or_fail(plan: Plan) -> Outcome {
    run(plan).unwrap_or_else(|error| panic!("{error:#}\nreproduce: SIM_SEED={}", plan.seed))
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing() {
    let mut crash_points = 0;
    for seed in seeds(2) {
        let operations = run_or_fail(plan(seed)).operations;
        for operation in 1..=operations {
            run_or_fail(Plan {
                power_cut_at: Some(operation),
                ..plan(seed)
            });
            crash_points += 1;
        }
    }
    assert!(crash_points > 0);
}

#[test]
fn chaos_loses_nothing() {
    let mut sum = Outcome::default();
    for seed in seeds(60) {
        let outcome = run_or_fail(Plan {
            chaos: Chaos::Drawn,
            steps: 300,
            ..plan(seed)
        });
        sum.crashes += outcome.crashes;
        sum.rewrites += outcome.rewrites;
        sum.poisonings += outcome.poisonings;
        sum.cuts += outcome.cuts;
        sum.reserves_used += outcome.reserves_used;
        sum.full += outcome.full;
        sum.mended += outcome.mended;
        sum.rewrites_ahead += outcome.rewrites_ahead;
    }
    // Without these, the runs would show nothing.
    if std::env::var("SIM_SEED").is_err() {
        assert!(
            sum.crashes > 0 && sum.rewrites > 0 && sum.poisonings > 0 && sum.cuts > 0,
            "{sum:?}"
        );
        assert!(
            sum.reserves_used > 0 && sum.full > 0 && sum.mended > 0 && sum.rewrites_ahead > 0,
            "{sum:?}"
        );
    }
}

#[test]
fn a_run_repeats_itself() {
    let plan = Plan {
        chaos: Chaos::Drawn,
        ..plan(5)
    };
    assert_eq!(run_or_fail(plan), run_or_fail(plan));
}

#[test]
fn planted_bugs_are_found() {
    for bug in [
        Bug::SyncDropped,
        Bug::ReleasedEarly,
        Bug::SnapshotStale,
        Bug::AppliedTwice,
        Bug::ReleasedWhenFull,
    ] {
        let found = (0..300).any(|seed| {
            run(Plan {
                chaos: Chaos::Drawn,
                bug: Some(bug),
                ..plan(seed)
            })
            .is_err()
        });
        assert!(found, "{bug:?} was not found");
    }
}

#[test]
fn a_full_disk_does_not_make_a_log_trusted_again() {
    let disk = SimDisk::new(Rng::new(1));
    let names = Names::new("appendonly.aof");
    let recovery = Recovery::open(Arc::new(disk.clone()), names, TornTail::Cut).unwrap();
    let (log, _) = recovery.finish().unwrap();
    let mut commit = Commit::new(log, SyncPolicy::Never);
    let batch = |number, cut| {
        Event::Gathered(Gathered {
            batches: b"*1\r\n$4\r\nPING\r\n".to_vec().into(),
            last: Lsn::new(number),
            cut,
        })
    };
    let now = |s| Elapsed::new(Duration::from_secs(s));
    commit.apply(batch(1, None), now(1));
    disk.plan(disk.operations() + 1, Failure::Error);
    commit.apply(batch(2, None), now(2));
    assert!(matches!(commit.health(), Health::Poisoned(_)));
    // The second batch is in no file, only in the snapshot that is being written.
    let (at, bytes) = (Lsn::new(2), 0);
    commit.apply(
        Event::Gathered(Gathered {
            last: at,
            cut: Some(Cut { bytes, at }),
            ..Gathered::default()
        }),
        now(3),
    );
    let snapshot = commit.flush().snapshot;
    assert!(matches!(snapshot, Some(Ok(_))));
    disk.set_capacity(0);
    commit.apply(batch(3, None), now(4));
    disk.set_capacity(u64::MAX);
    commit.apply(Event::Tick, now(10));
    assert!(matches!(commit.health(), Health::Poisoned(_)));
    assert_eq!(commit.position().released, Lsn::new(1));
}
