//! The journal on the simulated disk. `SIM_SEEDS=100000` runs more seeds, `SIM_SEED=17` one.

use sim::journal_run::{Bug, Chaos, Outcome, Plan, run};

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        steps: 120,
        power_cut_at: None,
        chaos: Chaos::Planned,
        bug: None,
    }
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text: String| text.parse().ok())
    };
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(default),
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
    }
    // Otherwise the runs show nothing.
    if std::env::var("SIM_SEED").is_err() {
        assert!(
            sum.crashes > 0 && sum.rewrites > 0 && sum.poisonings > 0 && sum.cuts > 0,
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
